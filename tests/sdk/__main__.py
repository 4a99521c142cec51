"""The vendor's own Python SDK against the simulator: `python tests/sdk SIMULATOR` with the path of the program.

Run by the python of the virtual environment that `requirements.txt` describes; `make test` does it all.
"""

import os
import sys
import tempfile
import unittest
import warnings
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1] / "playground"))

from huaweicloudsdkcore.warning import warning

from case import Case
from cloud import Cloud
from environment import ACCESS_KEY, PROJECT_ID, SECRET_KEY
from processes import Processes, free_ports
from service import Service

# The last looks back at the calls of all others.
MODULES = ["test_account", "test_kafka", "test_rocketmq", "test_served"]
# A creation takes the service a quarter of an hour, and us a second: long enough for a test to find it under way.
SPEED = 1000


def main(simulator):
    # As loopback.py: never through a proxy, whatever the environment says.
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1"
    # The SDK warns where it cannot read a value, and goes on.
    warnings.simplefilter("error", warning.SdkWarning)
    [port] = free_ports(1)
    Case.cloud = Cloud(f"http://127.0.0.1:{port}", ACCESS_KEY, SECRET_KEY, PROJECT_ID)
    with tempfile.TemporaryDirectory() as folder:
        processes = Processes(folder)
        try:
            options = ["--listen", f"127.0.0.1:{port}", "--speed", SPEED, "--rate-limit", 0]
            options += ["--access-key", ACCESS_KEY, "--secret-key", SECRET_KEY, "--project-id", PROJECT_ID]
            processes.start("simulator", [simulator, *options])
            Case.cloud.wait_until_up(processes.check)
            result = unittest.TextTestRunner(verbosity=2).run(unittest.defaultTestLoader.loadTestsFromNames(MODULES))
        finally:
            processes.stop()
    print(f"{len(Service.called)} operations of the SDK went well against the simulator", flush=True)
    return 0 if result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]).resolve()))
