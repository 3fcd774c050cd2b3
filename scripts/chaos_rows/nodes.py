"""Nodes that die, and nodes that end."""
import random
import time

from . import row


@row("F1", "a node is killed with -9 in the middle of requests, 10 times, and started again",
     "the other node serves; clients lose what was on its way", bound=5, stores=("postgres", "sqlite"), short=True)
def killed(run):
    run.baseline()
    run.fault()
    names, dice = list(run.fleet.nodes), random.Random(1)
    rounds = 3 if run.quick else 10
    starts = []
    for _ in range(rounds):
        node = run.node(dice.choice(names))
        node.kill()
        time.sleep(dice.uniform(0.2, 1.0))
        starts.append(node.start())
        time.sleep(dice.uniform(0.3, 1.5))
    run.see(f"{rounds} kills; ready again {max(starts):.1f} s after a start at most")
    run.healed(5)


@row("F2", "SIGTERM to every node, one after the other, and a start",
     "not ready first, requests in flight end, connections are closed by the answer: none fails", bound=0, short=True)
def terminated(run):
    run.baseline()
    run.fault()
    everyone = sorted({tenant["class"] for tenant in run.fleet.tenants})
    run.expect["spared"] = everyone
    ends = []
    for node in run.fleet.nodes.values():
        ends.append(node.terminate())
        node.start()
        # The balancer has to see that it is back before the next one goes.
        time.sleep(1)
    run.see(f"gone {max(ends):.1f} s after SIGTERM at most")
    run.healed(0)
