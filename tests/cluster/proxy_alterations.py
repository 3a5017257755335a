"""What a rule of the API proxy may do to the content of watches and lists: each is applied only to what it is for.

Events of a watch are counted from 1. What is inserted `after=0` comes at once, before any event.
"""
import base64
import json
import re
import time
import urllib.parse

from proxy_actions import Action, answer, status
from proxy_exchange import as_line, as_text
from proxy_wire import FIN, Cut


# ---------------------------------------------------------------- watches

def lines_of(pieces):
    """Whole lines with their ends, each as soon as it is whole; what is behind the last one at the end."""
    rest = b""
    for piece in pieces:
        rest += piece
        while (end := rest.find(b"\n") + 1):
            yield rest[:end]
            rest = rest[end:]
    if rest:
        yield rest


def watch(change):
    """`change(lines, exchange)`: a generator of what is sent, from the lines that the real server sends."""
    def act(exchange):
        def apply(real):
            if real.status == 200:
                real.body = change(lines_of(real.body), exchange)
        exchange.plain = True
        exchange.changes.append(apply)
    return Action(act, lambda exchange: exchange.watch)


def insert(event, after=0, delay=0, end=False):
    """An event (as a dict), or bytes as they are, behind the first `after` events; `delay`: seconds of silence before it; `end`: the
    watch ends with it. A function as event is given the Exchange and the last real event, or None."""
    def change(lines, exchange):
        last = None
        for last in first(lines, after):
            yield last
        exchange.sleep(delay)
        yield as_line(event(exchange, last and json.loads(last)) if callable(event) else event)
        if not end:
            yield from lines
    return watch(change)


def first(lines, count):
    """Without waiting for the one behind them."""
    for _ in range(count):
        line = next(lines, None)
        if line is None:
            return
        yield line


def error_event(code=410, message=None, after=0, end=True, delay=0, **more):
    """An ERROR event with a Status, under HTTP 200; by default it is the last one, as with the real server."""
    return insert({"type": "ERROR", "object": status(code, message, **more)}, after, delay, end)


def bookmark(version=None, kind="Namespace", api_version="v1", after=0, annotations=None):
    """By default the version of the event before it, or else the one that was asked for."""
    def event(exchange, last):
        seen = last["object"]["metadata"]["resourceVersion"] if last else exchange.parameters.get("resourceVersion", "0")
        metadata = {"resourceVersion": version or seen, "creationTimestamp": None}
        if annotations:
            metadata["annotations"] = annotations
        return {"type": "BOOKMARK", "object": {"kind": kind, "apiVersion": api_version, "metadata": metadata}}
    return insert(event, after)


def unknown_type(kind="RENAMED", after=0):
    event = {"type": kind, "object": {"kind": "Namespace", "apiVersion": "v1", "metadata": {"name": "odd", "resourceVersion": "1"}}}
    return insert(event, after)


def event_without_metadata(after=0, kind="ADDED"):
    return insert({"type": kind, "object": {"kind": "Namespace", "apiVersion": "v1", "spec": {}}}, after)


def empty_line(after=0):
    return insert(b"\n", after)


def change_event(change, nth=1):
    """`change(event)` returns what takes the place of the nth event: a dict, or bytes."""
    def each(lines, _):
        for number, line in enumerate(lines, 1):
            yield as_line(change(json.loads(line))) if number == nth else line
    return watch(each)


def duplicate_events(times=2):
    """Every event so many times."""
    def each(lines, _):
        for line in lines:
            for _ in range(times):
                yield line
    return watch(each)


def swap_events(nth=1):
    """The nth event comes behind the one that follows it."""
    def change(lines, _):
        yield from first(lines, nth - 1)
        held = next(lines, b"")
        yield from first(lines, 1)
        yield held
        yield from lines
    return watch(change)


def drop_events(nth=1, count=None, seconds=None):
    """From the nth on: so many, or those of a time (it begins with the watch), or all of them; silently."""
    def each(lines, exchange):
        for number, line in enumerate(lines, 1):
            late = seconds is not None and time.monotonic() - exchange.at > seconds
            if number < nth or late or (count is not None and number >= nth + count):
                yield line
    return watch(each)


def end_watch(after=0):
    """Cleanly, behind so many events; 0 is at once."""
    return watch(lambda lines, _: first(lines, after))


def stall_in_event(nth=1, seconds=None):
    """Half of the nth event, then silence: for ever, or then the other half follows."""
    return _in_event(nth, lambda exchange: exchange.sleep(seconds))


def cut_in_event(nth=1, how=FIN):
    def end(_):
        raise Cut(how)
    return _in_event(nth, end)


def _in_event(nth, then):
    def change(lines, exchange):
        yield from first(lines, nth - 1)
        line = next(lines, b"")
        yield line[:len(line) // 2]
        then(exchange)
        yield line[len(line) // 2:]
        yield from lines
    return watch(change)


# ---------------------------------------------------------------- lists

def is_list(exchange):
    return exchange.method == "GET" and not exchange.watch


def changed_list(change):
    """`change(list)` changes the parsed list, or returns another value for it. Single objects pass unchanged."""
    def apply(real):
        data = real.read()
        value = json.loads(data) if real.status == 200 else None
        if isinstance(value, dict) and "items" in value:
            made = change(value)
            real.replace(as_text(value if made is None else made) + b"\n")

    def act(exchange):
        exchange.plain = True
        exchange.changes.append(apply)
    return Action(act, is_list)


def no_continue():
    """The first page says that it is all."""
    def change(value):
        value["metadata"].pop("continue", None)
        value["metadata"].pop("remainingItemCount", None)
    return changed_list(change)


def expired_continue(fresh=False):
    """410 for a continue token; `fresh`: with a token that goes on at the same place in the newest state."""
    def body(exchange):
        token = exchange.parameters["continue"]
        message = "The provided continue parameter is too old to display a consistent list result."
        return status(410, message, metadata={"continue": inconsistent(token)} if fresh else {})
    return answer(410, body, wants=lambda exchange: is_list(exchange) and "continue" in exchange.parameters)


def inconsistent(token):
    """As the API server makes it when the version of the token is compacted."""
    inside = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    return base64.urlsafe_b64encode(as_text({**inside, "rv": -1})).decode().rstrip("=")


def endless_continue(same_token=True):
    """The first page again and again, whatever token comes; there is always more."""
    def act(exchange):
        page = re.fullmatch(r"again-(\d+)", exchange.parameters.get("continue", "again-0"))
        token = "again-1" if same_token or page is None else f"again-{int(page.group(1)) + 1}"
        rest = {name: value for name, value in exchange.parameters.items() if name != "continue"}
        exchange.target = exchange.path + ("?" + urllib.parse.urlencode(rest) if rest else "")

        def change(value):
            value["metadata"]["continue"] = token
        return changed_list(change)(exchange)
    return Action(act, is_list)


def items_null():
    return changed_list(lambda value: value.update(items=None))


def no_items():
    """The member is missing."""
    def change(value):
        del value["items"]
    return changed_list(change)


def item_without_metadata(index=0):
    """Of a list that has such an item."""
    def change(value):
        for item in value["items"][index:index + 1]:
            item.pop("metadata", None)
    return changed_list(change)


def no_version(items=False):
    """Without metadata.resourceVersion; with `items` none of these has one either."""
    def change(value):
        value["metadata"].pop("resourceVersion", None)
        for item in value["items"] if items else ():
            item["metadata"].pop("resourceVersion", None)
    return changed_list(change)
