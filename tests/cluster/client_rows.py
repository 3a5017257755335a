#!/usr/bin/env python3
"""The API server misbehaves in every way: plimsoll goes on judging, says what is wrong, asks modestly, and catches up."""
import contextlib
import http.server
import itertools
import os
import signal
import sys
import threading
import time

import proxy_actions as actions
import proxy_alterations as alter
import proxy_certificates as certificates
from api_proxy import ApiProxy
from control_plane import ADMIN, control_plane_or_end
from controller_status import install_crds
from following import change, follower, put_policy, trouble, verdict
from harness import check_rows

SILENCE = "2s"
SANITIZED = os.environ.get("PLIMSOLL_SANITIZED") == "1"
WITHIN = 45  # s: the longest back-off is 30 s


class Elsewhere:
    """Another host, which remembers whether it was shown a credential."""

    def __init__(self):
        self.asked, self.shown = 0, 0
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                outer.asked += 1
                outer.shown += "Authorization" in self.headers
                self.send_response(404)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/stolen"


FAULTS_OF_WATCHES = [
    ("cut before the answer", actions.cut), ("reset before the answer", lambda: actions.cut("rst")),
    ("cut after the status line", actions.cut_after_status_line), ("cut in the headers", actions.cut_in_headers),
    ("cut at every byte of the first ones", lambda: actions.creeping_cut(0, 7)),
    ("never answered", actions.hang), ("silent after the head", actions.stall_after_head),
    ("silent within an event", alter.stall_in_event), ("cut within an event", alter.cut_in_event),
    ("410 as a status", lambda: actions.fail(410, "too old", "Expired")), ("410 as an event", lambda: alter.error_event(410)),
    ("500 as an event", lambda: alter.error_event(500)), ("429 with Retry-After", lambda: actions.fail(429, "later", retry_after=1)),
    ("503 with Retry-After", lambda: actions.fail(503, "later", retry_after=1)), ("500", lambda: actions.fail(500, "broken")),
    ("401", lambda: actions.fail(401, "who are you", "Unauthorized")), ("404", lambda: actions.fail(404, "no such thing", "NotFound")),
    ("a version that is not there yet", actions.version_too_large), ("HTML", actions.html), ("garbage instead of HTTP", actions.garbage),
    ("garbage as a body", actions.garbage_body), ("a line of 40 MB", actions.long_line), ("deep nesting", actions.deep_nesting),
    ("an unknown type of event", alter.unknown_type), ("an event without metadata", alter.event_without_metadata),
    ("events twice", alter.duplicate_events), ("an empty line", alter.empty_line), ("gzip that nobody asked for", actions.gzipped)]
FAULTS_OF_LISTS = [
    ("cut before the answer", actions.cut), ("cut after 100 bytes", lambda: actions.cut_after(100)), ("500", lambda: actions.fail(500, "broken")),
    ("503 with Retry-After", lambda: actions.fail(503, "later", retry_after=1)), ("403", lambda: actions.fail(403, "no", "Forbidden")),
    ("HTML", actions.html), ("garbage", actions.garbage), ("garbage as a body", actions.garbage_body),
    ("truncated JSON", actions.truncated_json), ("JSON that is no list", actions.not_a_list), ("items null", alter.items_null),
    ("no items", alter.no_items), ("an item without metadata", alter.item_without_metadata), ("no resourceVersion", alter.no_version),
    ("pages without end", alter.endless_continue), ("deep nesting", actions.deep_nesting), ("gzip that nobody asked for", actions.gzipped)]
EVENTS = itertools.count(1)
# An empty list is one, and so is one of an object that cannot be read: the built-in policy is in force then.
EMPTY = {"list: items null", "list: deep nesting"}
FINE = {"items null", "an item without metadata", "events twice", "an empty line", "deep nesting"}  # nothing to complain about


class Client:
    """A server that follows the API server through a proxy of its own."""

    def __init__(self, plane):
        self.plane = plane

    def __enter__(self):
        self.ends = contextlib.ExitStack()
        self.proxy = self.ends.enter_context(ApiProxy(self.plane))
        self.server = self.ends.enter_context(follower(self.proxy.kubeconfig("client", ADMIN), "--watch-silence", SILENCE, "--drain-timeout", "1s"))
        if change(self.plane, self.server) > WITHIN:
            raise AssertionError("it does not follow without any fault: " + self.server.log_path.read_text()[-1000:])
        return self

    def __exit__(self, *failure):
        return self.ends.__exit__(*failure)

    def caught_up(self):
        return "caught up" if change(self.plane, self.server, WITHIN) < WITHIN else "never caught up"

    def sound(self):
        """Nothing was lost but what the fault hides: memory, log, credentials."""
        memory, log = self.server.peak_memory(), self.server.log_path.read_text()
        if (memory > 128 and not SANITIZED) or len(log.splitlines()) > 400 or ADMIN in log:
            return f", {memory:.0f} MiB, {len(log.splitlines())} lines{', a credential' if ADMIN in log else ''}"
        return ""


def through(plane, action, watch, fine=False):
    """The fault for some seconds: what was said, whether the verdict stayed, how much was asked; then the recovery."""
    with Client(plane) as client:
        since = len(client.proxy.exchanges())
        with client.proxy.rule(action, path=".*/hygienepolicies", watch=watch):
            with client.proxy.rule(actions.fail(410, "too old", "Expired"), watch=True, path=".*/hygienepolicies") if not watch else contextlib.nullcontext():
                client.proxy.drop("fin", watch=True)
                time.sleep(1)
                put_policy(plane, f"event-{next(EVENTS)}", match={"namespaces": ["nowhere"]})  # so that there is an event
                began, lines = time.monotonic(), []
                # What is said comes and goes with every attempt; what has to be said, a busy machine says later.
                while time.monotonic() < began + (3.5 if fine or lines else 30):
                    time.sleep(0.05)
                    said = trouble(client.server)
                    # How it all begins, with a watch that is cut, is no news of a fault that is none.
                    lines += [line for line in said[1] if not (fine and "ended early" in line)]
                kept = verdict(client.server)
                asked = len(client.proxy.exchanges()) - since
        told = "told" if any("hygienepolicies" in line for line in lines) else "nothing told"
        modest = "modest" if asked <= 60 else f"{asked} requests"
        return f"{said[0]}, {told}, {kept}, {modest}, {client.caught_up()}{client.sound()}"


def clean_ends(plane):
    """Watches that the server ends at once must not become a hot loop."""
    with Client(plane) as client:
        with client.proxy.rule(alter.end_watch(), watch=True):
            client.proxy.drop("fin", watch=True)
            time.sleep(1)
            since = len(client.proxy.exchanges(watch=True))
            time.sleep(4)
            asked = len(client.proxy.exchanges(watch=True)) - since
        return f"{'at most one a second each' if asked <= 3 * 5 else f'{asked} in 4 s'}, {client.caught_up()}"


def redirected(plane):
    elsewhere = Elsewhere()
    with Client(plane) as client:
        with client.proxy.rule(actions.redirect(elsewhere.url)):
            client.proxy.drop("fin", watch=True)
            time.sleep(2)
        elsewhere.server.shutdown()
        return f"{elsewhere.asked} requests there, {client.caught_up()}"


def bad_certificate(plane, make):
    with Client(plane) as client:
        with client.proxy.certificate(make(plane)):
            client.proxy.drop("fin", watch=True)
            time.sleep(2)
            said, kept = trouble(client.server), verdict(client.server)
        return f"{said[0]}, {len(said[1])} lines, {kept}, {client.caught_up()}"


def unreachable(plane):
    with Client(plane) as client:
        with client.proxy.unreachable():
            time.sleep(2)
            said, kept = trouble(client.server), verdict(client.server)
        return f"{said[0]}, {len(said[1])} lines, {kept}, {client.caught_up()}"


def fault_rows(plane):
    made = []
    for watch, faults in ((True, FAULTS_OF_WATCHES), (False, FAULTS_OF_LISTS)):
        for words, action in faults:
            told = "nothing told" if words in FINE or words.startswith("410") else "told"
            what = f"{'watch' if watch else 'list'}: {words}"
            kept = "allow + warning" if what in EMPTY else "deny 403"
            made.append((what, f"200, {told}, {kept}, modest, caught up",
                         lambda action=action, watch=watch, fine=told != "told": through(plane, action(), watch, fine)))
    return made + [
        ("watches that end at once", "at most one a second each, caught up", lambda: clean_ends(plane)),
        ("redirects to another host", "0 requests there, caught up", lambda: redirected(plane)),
        *((f"certificate {words}", "200, 3 lines, deny 403, caught up", lambda make=make: bad_certificate(plane, make))
          for words, make in (("of a stranger", certificates.stranger), ("expired", certificates.expired),
                              ("for another name", certificates.wrong_name))),
        ("connections refused", "200, 3 lines, deny 403, caught up", lambda: unreachable(plane))]


def frozen(plane, client, process):
    process.send_signal(signal.SIGSTOP)
    time.sleep(3)
    kept = verdict(client.server)
    process.send_signal(signal.SIGCONT)
    return f"{kept}, {client.caught_up()}"


def stopped(plane, client, which):
    plane.stop_api() if which == "api" else plane.stop_etcd()
    time.sleep(2)
    said, kept = trouble(client.server), verdict(client.server)
    if which == "api":
        plane.start_api()
    else:
        plane.start_etcd()
        plane.wait_ready()
    return f"{said[0]}, {kept}, {client.caught_up()}"


def server_rows(plane, client):
    return [
        ("API server stopped and started", "200, deny 403, caught up", lambda: stopped(plane, client, "api")),
        ("etcd stopped and started", "200, deny 403, caught up", lambda: stopped(plane, client, "etcd")),
        ("API server frozen for 3 s", "deny 403, caught up", lambda: frozen(plane, client, plane.api)),
        ("etcd frozen for 3 s", "deny 403, caught up", lambda: frozen(plane, client, plane.etcd))]


def main():
    began = time.monotonic()
    if SANITIZED:
        print("not measured in this build, because a sanitizer multiplies it: memory")
    plane = control_plane_or_end()
    with plane:
        install_crds(plane)
        put_policy(plane, "shop", match={"namespaces": ["shop"]})
        code = check_rows("an API server that misbehaves", [(number, *row) for number, row in enumerate(fault_rows(plane), 1)], workers=8)
        with Client(plane) as client:
            rows = [(number, *row) for number, row in enumerate(server_rows(plane, client), 101)]
            code = max(code, check_rows("an API server that is away", rows, workers=1))
    print(f"{time.monotonic() - began:.1f} s")
    return code


if __name__ == "__main__":
    sys.exit(main())
