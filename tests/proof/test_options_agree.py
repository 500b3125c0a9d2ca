"""Terraform and Python judge options alike: more documents than every run of the tests tries."""

from __future__ import annotations

from pathlib import Path

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tests.module.conftest import Terraform, terraform
from tests.module.test_options_agree import agree, folder

__all__ = ["folder", "terraform"]


@settings(max_examples=8, deadline=None, derandomize=True, database=None, phases=[Phase.generate])
@given(data=st.data())
def test_what_one_of_them_refuses_the_other_refuses_too(
    terraform: Terraform, folder: Path, data: st.DataObject
) -> None:
    agree(terraform, folder, data)
