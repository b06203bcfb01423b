"""What holds for every test; see tests/support for the helpers."""

import os

from hypothesis import HealthCheck, settings

from knary import compiled

# What is tested is said, not found: KNARY_COMPILED=1 tests the compiled gateway, here and in the
# processes that tests start; without it, all is interpreted, whatever `make compile` left behind.
os.environ.setdefault(compiled.SWITCH, "0")
compiled.use(os.environ)

# A loaded machine is no failure: property tests are judged by what they find, not by the clock.
settings.register_profile("knary", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("knary")
