"""One script a figure, each against its rival in the same run; ratios, because machines differ."""
