"""Labels and colours of the variants of the experiment."""

import pandas as pd

from gradaudit.figures.style import method_colours
from gradaudit.figures.variants import VARIANTS, variant_colours, variants_of


def test_variants_are_in_the_order_of_the_figure_and_unknown_ones_last():
    table = pd.DataFrame({"variant": ["my_own", "same_grid", "dual_norm", "another", "dual_norm"]})
    assert variants_of(table) == {
        "dual_norm": VARIANTS["dual_norm"],
        "same_grid": VARIANTS["same_grid"],
        "another": "another",
        "my_own": "my own",
    }


def test_a_variant_has_the_colour_of_its_method():
    colours = variant_colours(VARIANTS, "colorblind")
    methods = method_colours(["dual_norm", "forward_ad", "forward_sensitivity"], "colorblind")
    assert colours["dual_norm"] == methods["dual_norm"]
    assert colours["same_grid"] == methods["forward_ad"]
    assert colours["full_control"] == methods["forward_sensitivity"]


def test_a_variant_without_a_method_has_a_colour_of_its_own():
    colours = variant_colours([*VARIANTS, "mine"], "colorblind")
    assert len(set(colours.values())) == len(VARIANTS) + 1
