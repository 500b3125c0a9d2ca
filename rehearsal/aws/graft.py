"""How the additions come into moto.

moto finds a service's URLs by the module of its backend class, and its backends by a registry made at import. So
a subclass would not be found: the additions are put into moto's own classes instead.
"""

from __future__ import annotations

# What a class statement adds by itself.
_OWN = {"__module__", "__qualname__", "__doc__", "__dict__", "__weakref__", "__annotations__", "__slots__"}
_OWN |= {"__firstlineno__", "__static_attributes__", "__orig_bases__", "__parameters__", "__annotate_func__"}


def graft(additions: type) -> None:
    """Put everything that the class `additions` defines into its first base, a class of moto's.

    A method of `additions` cannot use `super()`: it runs as a method of the base. The method it replaces is kept in a
    module variable, taken before the graft.
    """
    base = additions.__mro__[1]
    for name, value in vars(additions).items():
        if name not in _OWN:
            setattr(base, name, value)
