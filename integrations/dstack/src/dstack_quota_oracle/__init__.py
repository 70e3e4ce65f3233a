"""A dstack server plugin that lets quota-oracle judge the offers of every plan.

`plugin` is what dstack loads; it leads to `wrap` (where dstack is taken hold of), `judge`
(what is made of the answers), `client` (how the oracle is asked) and `settings`.
"""

__version__ = "0.1.0"

TESTED_DSTACK_VERSIONS = ("0.20.17", "0.21.0", "0.22.0", "0.22.5")
"""The dstack releases that the tests were run with; all but the first as running servers, too."""
