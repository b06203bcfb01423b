"""What holds for every test; see tests/support for the helpers."""

from hypothesis import HealthCheck, settings

# A loaded machine is no failure: property tests are judged by what they find, not by the clock.
settings.register_profile("knary", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("knary")
