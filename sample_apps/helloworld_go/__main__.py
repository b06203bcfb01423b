"""Run the app alone: `PORT=8080 TARGET=Knative python -m sample_apps.helloworld_go`."""

import sys

from sample_apps.helloworld_go.app import main

if __name__ == "__main__":
    sys.exit(main())
