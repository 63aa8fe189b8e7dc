"""How long inserts last: lives of the past, a Weibull fit of them, and how good its answers are."""
