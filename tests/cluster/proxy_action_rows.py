"""What clients see of every action of the API proxy: rows for proxy_selftest.py. The namespace `few` holds the config maps a, b and c."""
import gzip
import json
import threading
import time

import proxy_actions as actions
import proxy_alterations as alter
from api_proxy import ApiProxy
from control_plane import Status
from proxy_client import Raw, ask, connection, outcome

MAPS = "/api/v1/namespaces/few/configmaps"
WATCH = MAPS + "?watch=1&timeoutSeconds=2"
ALL = "ADDED a, ADDED b, ADDED c"
MIB = 1 << 20
END = b"\r\n\r\n"


def raw(plane, action, target=WATCH, seconds=6, **which):
    """What a client of one request sees, byte by byte."""
    with ApiProxy(plane) as proxy:
        proxy.rule(action, **which)
        with Raw(proxy, target) as made:
            return made.read(seconds)


def seen(plane, action, target=WATCH, seconds=6):
    return raw(plane, action, target, seconds).summary()


def end_of(made, proxy):
    """How the connection ended, and what is recorded."""
    exchange = proxy.exchanges()[-1]
    exchange.done.wait(5)
    return f"{made.ending or 'open'}; {exchange.ended}"


def cut_rows(plane):
    def cut(action, target=WATCH, say=lambda made: len(made.data)):
        with ApiProxy(plane) as proxy:
            proxy.rule(action)
            with Raw(proxy, target) as made:
                made.read()
                return f"{say(made)}; {end_of(made, proxy)}"

    def wire(count, how):
        return cut(actions.cut_on_wire(count, how))

    def body(count, how):
        return cut(actions.cut_after(count, how), say=lambda made: len(made.body()[0]))

    return [
        ("cut before the answer, fin", "0; fin; cut (fin)", lambda: cut(actions.cut())),
        ("cut before the answer, rst", "0; rst; cut (rst)", lambda: cut(actions.cut("rst"))),
        ("cut before the answer, with TLS's farewell", "0; close; cut (close)", lambda: cut(actions.cut("close"))),
        ("cut after the status line", "b'HTTP/1.1 200 OK\\r\\n'; rst; cut (rst)",
         lambda: cut(actions.cut_after_status_line("rst"), say=lambda made: made.data)),
        ("cut within the headers", "True False; fin; cut (fin)",
         lambda: cut(actions.cut_in_headers(), say=lambda made: f"{made.data.count(10) > 1} {made.data.endswith(END)}")),
        ("cut after the headers of a watch", "0; rst; cut (rst)", lambda: body(0, "rst")),
        ("cut after 100 bytes of a watch", "100; fin; cut (fin)", lambda: body(100, "fin")),
        ("cut after 100 bytes of a watch, rst", "100; rst; cut (rst)", lambda: body(100, "rst")),
        ("cut after 100 bytes of a list", "100; close; cut (close)",
         lambda: cut(actions.cut_after(100, "close"), MAPS, lambda made: len(made.body()[0]))),
        ("cut after more than there is", "whole", lambda: seen(plane, actions.cut_after(1 << 30), MAPS).split(", ")[-1]),
        ("cut after 1000 bytes of the wire", "1000; rst; cut (rst)", lambda: wire(1000, "rst")),
        ("a watch cut at 87 points, fin", True, lambda: every_point(plane, "fin")),
        ("a watch cut at 87 points, rst", True, lambda: every_point(plane, "rst")),
        ("cut within the second event", "ADDED a", lambda: seen(plane, alter.cut_in_event(2, "rst")).rsplit(", ", 2)[0]),
    ]


def every_point(plane, how):
    """Of a watch: the first 40 bytes one by one, then every 20; true if it is cut where and how it should be."""
    with ApiProxy(plane) as proxy:
        lengths = []
        for start, step, times in ((0, 1, 40), (40, 20, 47)):
            with proxy.rule(actions.creeping_cut(start, step, how)):
                for _ in range(times):
                    with Raw(proxy, WATCH) as made:
                        lengths.append((len(made.read().data), made.ending))
        return lengths == [(count, how) for count in [*range(40), *range(40, 980, 20)]] or lengths


def write_rows(plane):
    def lost(how):
        with ApiProxy(plane) as proxy:
            proxy.rule(actions.lose_answer(how), method="POST")
            name = f"lost-{how}"
            got = ask(proxy, MAPS.replace("few", "writes"), "POST", {"metadata": {"name": name}})
            stored = plane.get(f"{MAPS.replace('few', 'writes')}/{name}")["metadata"]["name"]
            exchange = proxy.exchanges()[0]
            return f"{got}; stored {stored}; {exchange.status} {exchange.real_status} {exchange.ended}"

    def refused(action, method="POST", name="refused"):
        with ApiProxy(plane) as proxy:
            proxy.rule(action)
            path = MAPS.replace("few", "writes")
            got = outcome(ask(proxy, path if method == "POST" else f"{path}/{name}", method, {"metadata": {"name": name}}))
            try:
                plane.get(f"{path}/{name}")
            except Status as status:
                return f"{got}; then {status.code}"
            return f"{got}; stored"

    return [
        ("a write is done and its answer lost, fin", "RemoteDisconnected; stored lost-fin; None 201 answer lost (fin)",
         lambda: lost("fin")),
        ("a write is done and its answer lost, rst", "RemoteDisconnected; stored lost-rst; None 201 answer lost (rst)",
         lambda: lost("rst")),
        ("a write is cut before it is done", "RemoteDisconnected; then 404", lambda: refused(actions.cut(), name="never")),
        ("conflict", "409 Conflict; then 404", lambda: refused(actions.conflict(), "PUT")),
        ("already exists", "409 AlreadyExists; then 404", lambda: refused(actions.already_exists())),
        ("conflict is for writes alone", "200", lambda: answered(plane, actions.conflict())),
    ]


def hang_rows(plane):
    def hangs(action, target=WATCH, read=1.0):
        """What came before the silence; then the client leaves."""
        with ApiProxy(plane) as proxy:
            proxy.rule(action)
            with Raw(proxy, target) as made:
                made.read(read)
                what = f"{len(made.body()[0]) if made.data else 'nothing'} {made.ending}"
            exchange = proxy.exchanges()[0]
            exchange.done.wait(5)
            return f"{what}; {exchange.ended}; {exchange.real_status}"

    def lasts(action, target=MAPS):
        begun = time.monotonic()
        what = seen(plane, action, target).split(", ")[-1]
        return f"{what}, {'late' if time.monotonic() - begun > 1 else 'soon'}"

    def released_in(seconds):
        released = threading.Event()
        threading.Timer(seconds, released.set).start()
        return released

    return [
        ("no answer", "nothing None; client left; None", lambda: hangs(actions.hang())),
        ("no answer, but it is done", "nothing None; client left; 200", lambda: hangs(actions.hang(perform=True), MAPS)),
        ("headers, then nothing", "0 None; client left; 200", lambda: hangs(actions.stall_after_head())),
        ("stalled after 77 bytes", "77 None; client left; 200", lambda: hangs(actions.stall_after(77))),
        ("stalled in the second event, for ever", "ADDED a, half", lambda: half(raw(plane, alter.stall_in_event(2), seconds=1))),
        ("stalled in the second event, for 1 s", ALL + ", whole", lambda: seen(plane, alter.stall_in_event(2, 1))),
        ("delayed by 1 s", "whole, late", lambda: lasts(actions.delay(1))),
        ("done, then delayed by 1 s", "whole, late", lambda: lasts(actions.delay(1, perform=True))),
        ("held until it is released", "whole, late", lambda: lasts(actions.hold(released_in(1.1)))),
        ("slow", "whole, late", lambda: lasts(actions.slow(400))),
        ("two actions: a delay, then an answer", "503 ServiceUnavailable",
         lambda: answered(plane, actions.delay(0.2), actions.fail(503))),
    ]


def half(made):
    """"half" in the place of what is no whole line."""
    return ", ".join("half" if line.endswith("bytes") else line for line in made.lines())


def answered(plane, *action, target=MAPS, **which):
    with ApiProxy(plane) as proxy:
        proxy.rule(*action, **which)
        return outcome(ask(proxy, target))


def body(plane, action, target=MAPS):
    """(status, headers, body)"""
    with ApiProxy(plane) as proxy:
        proxy.rule(action)
        return ask(proxy, target)


def header(plane, action, name, target=MAPS):
    """The status, the header, and the details of the Status, or the length of what is none."""
    status, headers, data = body(plane, action, target)
    return f"{status} {headers[name]} {json.loads(data).get('details', '') if data[:1] == b'{' else len(data)}"


def names(data):
    return "".join(item["metadata"]["name"] for item in json.loads(data)["items"])


def long_answer(plane, target):
    """Read as a stream, not kept."""
    with ApiProxy(plane) as proxy:
        proxy.rule(actions.long_line())
        used = connection(proxy)
        used.request("GET", target)
        answer, got, newlines = used.getresponse(), 0, 0
        while piece := answer.read(MIB):
            got, newlines = got + len(piece), newlines + piece.count(10)
        used.close()
        return f"{got // MIB} MiB, {newlines} newlines"


def parsed(data):
    try:
        return f"JSON: {json.loads(data)}"
    except ValueError as error:
        return type(error).__name__


def status_rows(plane):
    codes = {401: "Unauthorized", 403: "Forbidden", 404: "NotFound", 410: "Expired", 422: "Invalid", 500: "InternalError"}
    rows = [(f"answers {code}", f"{code} {reason}", lambda code=code: answered(plane, actions.fail(code)))
            for code, reason in codes.items()]

    def too_large():
        mine = body(plane, actions.version_too_large(), WATCH)
        real = body(plane, actions.delay(0), MAPS + "?resourceVersion=99999999")
        same = json.loads(mine[2])["details"] == json.loads(real[2])["details"]
        return f"{mine[0]} {real[0]} {mine[1]['Retry-After']} {real[1]['Retry-After']} {same}"

    return rows + [
        ("429 with Retry-After", "429 1 {'retryAfterSeconds': 1}", lambda: header(plane, actions.fail(429, retry_after=1), "Retry-After")),
        ("503 with Retry-After", "503 1 {'retryAfterSeconds': 1}", lambda: header(plane, actions.fail(503, retry_after=1), "Retry-After")),
        ("a version too large: as the real one", "504 504 1 1 True", too_large),
        ("HTML", "502 text/html 97", lambda: header(plane, actions.html(), "Content-Type")),
        ("a redirect", f"307 https://127.0.0.2:1{MAPS} 0", lambda: header(plane, actions.redirect("https://127.0.0.2:1"), "Location")),
        ("wrong content type", "200 text/plain ", lambda: header(plane, actions.content_type("text/plain"), "Content-Type")),
    ]


def content_rows(plane):
    def unpacked(action, target=MAPS):
        return gzip.decompress(body(plane, action, target)[2])

    def bomb():
        packed = body(plane, actions.gzip_bomb(16 * MIB))[2]
        return f"{'less' if len(packed) < 100_000 else 'more'} than 100 KB, {len(gzip.decompress(packed)) // MIB} MiB"

    def says_gzip():
        _, headers, data = body(plane, actions.says_gzip())
        return f"{headers['Content-Encoding']} {names(data)}"

    return [
        ("garbage instead of HTTP", "BadStatusLine", lambda: body(plane, actions.garbage())),
        ("garbage instead of JSON", "UnicodeDecodeError", lambda: parsed(body(plane, actions.garbage_body())[2])),
        ("truncated JSON", "JSONDecodeError", lambda: parsed(body(plane, actions.truncated_json())[2])),
        ("JSON that is no list", "JSON: []", lambda: parsed(body(plane, actions.not_a_list())[2])),
        ("40 MiB of a list without a newline", "40 MiB, 0 newlines", lambda: long_answer(plane, MAPS)),
        ("40 MiB of a watch without a newline", "40 MiB, 0 newlines", lambda: long_answer(plane, WATCH)),
        ("deep nesting in a list", 100_000, lambda: body(plane, actions.deep_nesting())[2].count(b"[[") * 2),
        ("deep nesting in an event", 100_000, lambda: body(plane, actions.deep_nesting(), WATCH)[2].count(b"[[") * 2),
        ("a list in gzip, not asked for", "abc", lambda: names(unpacked(actions.gzipped()))),
        ("a watch in gzip", 3, lambda: unpacked(actions.gzipped(), WATCH).count(b'"ADDED"')),
        ("said to be gzip, and is not", "gzip abc", says_gzip),
        ("a bomb of gzip", "less than 100 KB, 16 MiB", bomb),
    ]


def watch_rows(plane):
    rows = {
        "an ERROR event with 410, at once": (alter.error_event(), "ERROR 410, whole"),
        "an ERROR event with 410 behind the first event": (alter.error_event(after=1), "ADDED a, ERROR 410, whole"),
        "an ERROR event after a second of silence": (alter.error_event(delay=1), "ERROR 410, whole"),
        "an ERROR event, and it goes on": (alter.error_event(500, after=1, end=False), "ADDED a, ERROR 500, ADDED b, ADDED c, whole"),
        "a bookmark at once": (alter.bookmark("12"), "BOOKMARK 12, " + ALL + ", whole"),
        "a bookmark behind the second event": (alter.bookmark("12", after=2), "ADDED a, ADDED b, BOOKMARK 12, ADDED c, whole"),
        "every event twice": (alter.duplicate_events(), "ADDED a, ADDED a, ADDED b, ADDED b, ADDED c, ADDED c, whole"),
        "the first event behind the second": (alter.swap_events(), "ADDED b, ADDED a, ADDED c, whole"),
        "the second event behind the third": (alter.swap_events(2), "ADDED a, ADDED c, ADDED b, whole"),
        "an unknown type": (alter.unknown_type(after=3), ALL + ", RENAMED odd, whole"),
        "an event without metadata": (alter.event_without_metadata(after=1), "ADDED a, ADDED None, ADDED b, ADDED c, whole"),
        "an event changed": (alter.change_event(lambda event: {**event, "type": "DELETED"}, 2), "ADDED a, DELETED b, ADDED c, whole"),
        "an empty line": (alter.empty_line(after=1), "ADDED a, empty line, ADDED b, ADDED c, whole"),
        "a line that is not JSON": (alter.insert(b"{no\n", after=1), "ADDED a, broken line of 3 bytes, ADDED b, ADDED c, whole"),
        "the second event dropped": (alter.drop_events(2, 1), "ADDED a, ADDED c, whole"),
        "all events dropped": (alter.drop_events(), "whole"),
        "ended cleanly at once": (alter.end_watch(), "whole"),
        "ended cleanly behind two events": (alter.end_watch(2), "ADDED a, ADDED b, whole"),
    }
    return [(f"watch: {what}", expected, lambda action=action: seen(plane, action)) for what, (action, expected) in rows.items()]


def outside_rows(plane):
    def injected():
        """From outside, while it lasts; and ended from outside."""
        with ApiProxy(plane) as proxy, Raw(proxy, WATCH.replace("=2", "=20")) as made:
            made.read(until=lambda so_far: len(so_far.lines()) == 3)
            proxy.live(watch=True)[0].inject({"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": "77"}}})
            made.read(until=lambda so_far: len(so_far.lines()) == 4)
            proxy.drop("rst", watch=True)
            return made.read().summary()

    def hot_loop():
        with ApiProxy(plane) as proxy:
            proxy.rule(alter.end_watch())
            used = connection(proxy)
            ends = [outcome(ask(proxy, WATCH, over=used)) for _ in range(50)]
            used.close()
            return f"{ends.count('200')} times, {proxy.accepted} connection"

    def dropped_for_a_time():
        with ApiProxy(plane) as proxy:
            proxy.rule(alter.drop_events(seconds=1))
            path = "/api/v1/namespaces/writes/configmaps"
            with Raw(proxy, path + "?watch=1&timeoutSeconds=4&fieldSelector=metadata.name%3Dafter") as made:
                threading.Timer(2, lambda: plane.create(path, {"metadata": {"name": "after"}})).start()
                return made.read(8).summary()

    return [
        ("watch: events of the first second dropped", "ADDED after, whole", dropped_for_a_time),
        ("watch: inserted and cut from outside", ALL + ", BOOKMARK 77, rst", injected),
        ("watch: a loop of 50 over one connection", "50 times, 1 connection", hot_loop),
        ("watch: alterations leave lists alone", "200", lambda: answered(plane, alter.end_watch())),
    ]


def list_rows(plane):
    def pages(action, most=5):
        """The names on every page, as a client sees them that follows `continue`."""
        with ApiProxy(plane) as proxy:
            proxy.rule(action)
            token, found = "", []
            for _ in range(most):
                got = ask(proxy, f"{MAPS}?limit=2" + (f"&continue={token}" if token else ""))
                value = json.loads(got[2])
                token = value["metadata"].get("continue")
                found.append("".join(item["metadata"]["name"] for item in value.get("items", ())) or f"{got[0]}{' fresh' if token else ''}")
                if not token:
                    break
            return " ".join(found)

    def member(action, say):
        with ApiProxy(plane) as proxy:
            proxy.rule(action)
            return say(json.loads(ask(proxy, MAPS)[2]))

    def versions(value):
        return f"{value['metadata'].get('resourceVersion')} {[item['metadata'].get('resourceVersion') for item in value['items']]}"

    return [
        ("list: paged, nothing changed", "ab c", lambda: pages(actions.delay(0))),
        ("list: no continue", "ab", lambda: pages(alter.no_continue())),
        ("list: 410 for a token", "ab 410", lambda: pages(alter.expired_continue())),
        ("list: 410 for a token, with a fresh one", "ab 410 fresh c", lambda: pages_once(plane)),
        ("list: the same page without end", "ab ab ab ab ab", lambda: pages(alter.endless_continue())),
        ("list: the same page without end, other tokens", "ab ab ab ab ab", lambda: pages(alter.endless_continue(same_token=False))),
        ("list: items null", None, lambda: member(alter.items_null(), lambda value: value["items"])),
        ("list: no items", False, lambda: member(alter.no_items(), lambda value: "items" in value)),
        ("list: an item without metadata", [False, True, True],
         lambda: member(alter.item_without_metadata(), lambda value: ["metadata" in item for item in value["items"]])),
        ("list: no version", "None [None, None, None]", lambda: member(alter.no_version(items=True), versions)),
        ("list: alterations leave watches alone", ALL + ", whole", lambda: seen(plane, alter.items_null())),
    ]


def pages_once(plane):
    """The first token is refused, the fresh one is good."""
    with ApiProxy(plane) as proxy:
        proxy.rule(alter.expired_continue(fresh=True), times=1)
        token, found = "", []
        while token is not None:
            status, _, data = ask(proxy, f"{MAPS}?limit=2" + (f"&continue={token}" if token else ""))
            value = json.loads(data)
            token = value["metadata"].get("continue")
            found.append("".join(item["metadata"]["name"] for item in value.get("items", ())) or f"{status} fresh")
        return " ".join(found)


def rows(plane):
    parts = (cut_rows, write_rows, hang_rows, status_rows, content_rows, watch_rows, outside_rows, list_rows)
    return [row for part in parts for row in part(plane)]
