"""The network between regions: gone, one-way, slow, and nodes that send requests to each other."""
import time

from . import row


def links(run, region, other):
    return [f"{node.name}-{other}" for node in run.fleet.of(region)]


def quantile(values, share):
    return sorted(values)[min(len(values) - 1, int(len(values) * share))] if values else 0


@row("F16", "`us` and `eu` do not reach each other for 30 s: silence, also on what is open",
     "none that is at home fails, p99 at most 1.2 times; forwards are 503 within 20 ms once the breaker is open", bound=5)
def parted(run):
    run.baseline(12)
    since = run.fault()
    run.proxy.black_hole(*links(run, "us", "eu"), *links(run, "eu", "us"))
    time.sleep(30)
    open_ = [node.metric("region_breaker_open", region="eu" if node.region == "us" else "us") for node in run.fleet.nodes.values()]
    run.proxy.clear()
    run.expect |= {"unaffected": ["us", "eu"], "spared": ["us", "eu"]}
    run.healed(5)
    # After the breaker had time to open; one request a second tries again and is not counted.
    later = [event for event in run.during(since + 10_000_000) if " by " in event["class"] and event["status"] == 503
             and event["at"] < since + 30_000_000]
    took = [(event["end"] - event["at"]) / 1000 for event in later]
    run.see(f"{len(took)} forwards refused with the breaker open, half of them within {quantile(took, 0.5):.1f} ms, 90 % within {quantile(took, 0.9):.1f} ms")
    run.must(open_ == [1.0] * len(open_), f"breakers: {open_}")
    run.must(took and quantile(took, 0.5) <= 20, "half of the forwards took more than 20 ms with the breaker open")


@row("F17", "one direction only: what `us` sends to `eu` is not heard for 10 s, then what `eu` answers is not heard for 10 s",
     "none that is at home fails, and the other direction goes on; what was held, 64 requests of a node at most, comes at once when it is "
     "over, and slows `eu` for that moment", bound=5)
def one_way(run):
    run.baseline()
    since = run.fault()
    ways = links(run, "us", "eu")
    for side in ("up", "down"):
        for name in ways:
            run.proxy.set(name, side, **{"pass": "hold"})
        time.sleep(10)
        run.proxy.clear(*ways)
        time.sleep(3)
    # Those of `eu` are asked for failures, and not for their p99: the burst at the end of the first half is theirs.
    run.expect |= {"unaffected": ["us"], "spared": ["us", "eu", "us by eu"]}
    run.healed(5)
    burst = [(event["end"] - event["at"]) / 1000 for event in run.during(since, **{"class": "eu"})
             if since + 9_000_000 <= event["at"] < since + 13_000_000]
    rest = [(event["end"] - event["at"]) / 1000 for event in run.during(since, **{"class": "eu"}) if event["at"] < since + 9_000_000]
    run.see(f"`eu`: none failed; p99 {quantile(rest, 0.99):.0f} ms while `us` was not heard, {quantile(burst, 0.99):.0f} ms in the 4 s in which what was held came")


@row("F18", "`eu` answers `us` 800 ms late for 20 s, and of its answers 5 % are resets",
     "only what is forwarded there is slow; too many at once are 503", bound=5)
def slow(run):
    run.baseline()
    since = run.fault()
    ways = links(run, "us", "eu")
    for name in ways:
        run.proxy.set(name, "down", latency="800ms", reset="5%")
    time.sleep(20)
    run.proxy.clear(*ways)
    run.expect |= {"unaffected": ["us", "eu", "us by eu"], "spared": ["us", "eu", "us by eu"]}
    run.healed(5)
    there = [event for event in run.during(since) if event["class"] == "eu by us" and event["at"] < since + 20_000_000]
    good = sum(1 for event in there if event["status"] in (200, 201, 204, 404, 409))
    run.see(f"`eu by us`: {good} of {len(there)} answered well meanwhile")


@row("F21", "opposite directories: the nodes of `eu` are told that `eu` is at the gateway of `us`",
     "one hop, then 508; no request goes in circles; `us` is untouched", bound=15)
def opposite(run):
    run.baseline()
    since = run.fault()
    nodes, kept = run.fleet.of("eu"), {}
    served = lambda: sum(node.metric("http_server_request_duration_seconds_count") or 0 for node in run.fleet.nodes.values())
    for number, node in enumerate(nodes):
        kept[node.name] = dict(node.env)
        node.terminate()
        del node.env["MUSTER__REGIONS__EU__STORE"]
        # It has to serve something: an empty store of a region that nobody asks for.
        node.configure(REGIONS__EU__GATEWAY=node.env["MUSTER__REGIONS__US__GATEWAY"],
                       **{f"REGIONS__XX{number}__STORE": f"sqlite:{node.folder}/xx.sqlite"})
        node.start()
    before, at = served(), time.time_ns() // 1000
    time.sleep(10)
    hops, asked = served() - before, len(run.during(at))
    wrong = {}
    for event in run.during(at):
        if event["class"].startswith("eu"):
            wrong[event["status"]] = wrong.get(event["status"], 0) + 1
    for node in nodes:
        node.terminate()
        node.env = kept[node.name]
        node.start()
    run.see(f"`eu` meanwhile: {wrong}; {asked} requests were {hops:.0f} at the nodes")
    run.must(wrong.get(508), "nobody was told 508")
    run.must(not set(wrong) - {508, 503, 0}, f"eu was answered {wrong}")
    run.must(hops <= asked * 2.2, f"{asked} requests were {hops:.0f} at the nodes")
    # 508 is no answer that the checker takes for good, and none that must not be.
    run.expect |= {"unaffected": ["us"], "spared": ["us"]}
    run.healed(15)
    del since
