"""Mechanisms are a vocabulary: models keep to it, and what is said of them asks its members."""

from __future__ import annotations

from dataclasses import replace

import pytest

import gradaudit
from gradaudit.errors import ModelError
from gradaudit.model.loading import library_names
from gradaudit.model.mechanism import Mechanism, Trait, having, label_of


def test_a_misspelt_mechanism_is_refused_with_the_one_that_was_meant():
    model = gradaudit.load_model("logistic")
    with pytest.raises(ModelError, match=r"'logistic'.*'caos'; did you mean 'chaos'\?"):
        replace(model, mechanism="caos")


def test_a_model_may_stand_for_nothing():
    assert replace(gradaudit.load_model("logistic"), mechanism="").mechanism == ""


@pytest.mark.slow
def test_the_library_has_a_model_of_every_mechanism():
    models = [gradaudit.load_model(name) for name in library_names()]
    assert {model.mechanism for model in models} == set(Mechanism)


def test_every_trait_has_mechanisms():
    for trait in Trait:
        assert having(trait)
        assert set(having(trait)) <= set(Mechanism)


def test_figures_call_a_mechanism_by_the_name_that_texts_have():
    assert [label_of(name).casefold() for name in Mechanism] == [n.casefold() for n in Mechanism]
    assert label_of("chaos") == "Chaos"
    assert label_of("made up") == "Made up"
