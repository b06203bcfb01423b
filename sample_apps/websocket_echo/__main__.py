"""Run the app alone: `PORT=8080 SUFFIX=blue python -m sample_apps.websocket_echo`."""

import sys

from sample_apps.websocket_echo.app import main

if __name__ == "__main__":
    sys.exit(main())
