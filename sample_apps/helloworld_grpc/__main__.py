"""Run the app alone: `PORT=8080 TARGET=Knative python -m sample_apps.helloworld_grpc`."""

import sys

from sample_apps.helloworld_grpc.app import main

if __name__ == "__main__":
    sys.exit(main())
