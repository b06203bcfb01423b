"""What holds for every test; see tests/support for the helpers."""

import os
import signal

from hypothesis import HealthCheck, settings

from knary import compiled

# What is tested is said, not found: KNARY_COMPILED=1 tests the compiled gateway, here and in the
# processes that tests start; without it, all is interpreted, whatever `make compile` left behind.
os.environ.setdefault(compiled.SWITCH, "0")
compiled.use(os.environ)

# A loaded machine is no failure: property tests are judged by what they find, not by the clock.
settings.register_profile("knary", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("knary")

# A shell that runs the tests in the background has them ignore Ctrl-C, and so would every program
# that they start: a signal that is handled here is the default there.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
