"""Databases that die, hang, or are too few."""
import time

from . import row


@row("F3", "the PostgreSQL of `us` is killed with -9 and started again 10 s later",
     "503 with Retry-After for its tenants, none of another; back by itself", bound=10, short=True)
def killed(run):
    run.baseline()
    run.fault()
    server = run.fleet.postgres["us"]
    server.kill()
    time.sleep(4 if run.quick else 10)
    server.start()
    run.expect["unaffected"] = ["eu"]
    run.healed(10)
