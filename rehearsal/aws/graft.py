"""How the additions come into moto.

moto finds a service's URLs by the module of its backend class, and its backends by a registry made at import. So
a subclass would not be found: the additions are put into moto's own classes instead.
"""

from __future__ import annotations

# What a class statement adds by itself.
_OWN = {"__module__", "__qualname__", "__doc__", "__dict__", "__weakref__", "__annotations__", "__slots__"}
_OWN |= {"__firstlineno__", "__static_attributes__", "__orig_bases__", "__parameters__", "__annotate_func__"}


def graft(additions: type) -> None:
    """Put everything that the class `additions` defines into the class of moto's that it derives from.

    Classes of ours in between come with it. A method of `additions` cannot use `super()`: it runs as a method of moto's
    class. The method it replaces is kept in a module variable, taken before the graft.
    """
    ours = [kind for kind in additions.__mro__ if kind.__module__.startswith(__package__)]
    base = additions.__mro__[len(ours)]
    for kind in reversed(ours):
        for name, value in vars(kind).items():
            if name not in _OWN:
                setattr(base, name, value)
