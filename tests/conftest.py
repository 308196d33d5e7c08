"""What every test shares: how hypothesis looks for examples."""

from hypothesis import settings

# A deadline is a timing, and timings belong in benchmarks: a busy machine would fail tests.
settings.register_profile("ember", deadline=None)
settings.load_profile("ember")
