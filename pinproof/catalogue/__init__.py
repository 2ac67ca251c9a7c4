"""The catalogue of known regressions: what it lists, on which releases each reproduces, and the page that says so."""
