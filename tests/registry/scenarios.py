"""What a registry may do wrong, one function each, with the reason that the image is then unknown for.

    SCENARIOS = {name: (setup, expected_reason, note)}
    setup(server) -> Target

`expected_reason` is None where the image must be read all the same. Each scenario has a repository of its
own, scenario/<name>, and paths of its own outside of it, so that all may run at once on one server.
"""

import json
from dataclasses import dataclass, field

import images
from layout import (DOCKER_MANIFEST, OCI_CONFIG, OCI_INDEX, OCI_LAYER, OCI_MANIFEST, digest_of, to_json)
from misbehaving import MIB, always, challenge, fail_first, gives_token, gzipped, only, redirect, with_headers

SCENARIOS = {}
USER = ("reader", "s3cret:with colon")
TOKEN = "Bearer good-token"
METADATA = "169.254.169.254"


@dataclass
class Target:
    """What to look at and what the reader is told; `check()` afterwards returns what went wrong."""
    reference: str
    hosts: list                 # entries of spec.registries: host, private, ca, plainHTTP, tokenRealms, mirrors
    credentials: dict           # host -> (user, password)
    platform: str | None = None
    checks: list = field(default_factory=list)
    spec: dict = field(default_factory=dict)  # what else stands beside spec.registries

    def check(self):
        return [problem for check in self.checks for problem in check()]


class Case:
    """One scenario on one server: its repository, and short ways to fill it."""

    def __init__(self, server, name):
        self.server, self.name, self.layout = server, name, server.layout
        self.repository = "scenario/" + name.replace("_", "-")
        self.checks = []

    def serve(self, image="light", rule=None):
        descriptor = self.layout.names[image]
        self.server.add_manifest(self.repository, self.layout.bytes(descriptor["digest"]), descriptor["mediaType"])
        if rule:
            self.server.rules[self.repository] = rule
        return self

    def serve_bytes(self, data, media_type=OCI_MANIFEST):
        self.server.add_manifest(self.repository, data, media_type)
        return self

    def manifest(self, image="light"):
        return self.layout.json(image)

    def text(self, image="light"):
        return self.layout.bytes(self.layout.names[image]["digest"]).decode()

    def entry(self, kind="good", **more):
        listener = self.server.listener(kind)
        way = {"plainHTTP": True} if listener.scheme == "http" else {"ca": str(self.server.authority.ca)}
        entry = {"host": listener.host, "private": True, **way, **more}
        return {name: value for name, value in entry.items() if value is not None}

    def target(self, kind="good", also=(), credentials=None, digest=None, platform="linux/amd64", **more):
        """`also`: other listeners that the reader may visit; `more` goes into the host's entry."""
        host = self.server.listener(kind).host
        tail = f"@{digest}" if digest else ":1"
        entries = [self.entry(kind, **more), *(self.entry(other) for other in also)]
        return Target(f"{host}/{self.repository}{tail}", entries, {host: credentials} if credentials else {}, platform, self.checks)

    def url(self, kind="other"):
        return self.server.listener(kind).url

    def requests(self, kind=None):
        """What came for this scenario, at that listener or at any."""
        return [one for one in list(self.server.seen) if (kind is None or one.listener == kind)
                and (one.path.startswith(f"/v2/{self.repository}/") or one.path.split("?")[0] == f"/token/{self.repository}")]

    def no_credentials_at(self, kind):
        self.checks.append(lambda: [f"{one.method} {one.path} at {kind} carried {header}" for one in self.requests(kind)
                                    for header in ("authorization", "cookie", "referer") if header in one.headers])

    def visited(self, kind, visits=True):
        self.checks.append(lambda: [] if bool(self.requests(kind)) == visits else
                           [f"{kind} was {'not ' if visits else ''}visited"])

    def at_most(self, number):
        self.checks.append(lambda: [] if len(self.requests()) <= number else
                           [f"{len(self.requests())} requests, {number} are the most"])

    def poured_at_most(self, size):
        def check():
            poured = self.server.poured.get(self.repository, 0)
            return [] if poured <= size else [f"{poured} bytes were taken, {size} are the most"]
        self.checks.append(check)

    def realm(self, kind="good"):
        return f"{self.url(kind)}/token/{self.repository}"

    def bearer(self, realm=None, accepted=TOKEN, token=None, kind="good", scope=None):
        """Needs a token of `realm`, which is `token` (a rule) at that listener."""
        self.server.rules[f"/token/{self.repository}"] = token or gives_token()
        text = f'Bearer realm="{realm or self.realm(kind)}",service="registry.test",scope="{scope or f"repository:{self.repository}:pull"}"'
        return self.serve(rule=challenge(text, accepted))


def scenario(expected, note=""):
    def register(function):
        SCENARIOS[function.__name__] = (lambda server: function(Case(server, function.__name__)), expected, note)
        return function
    return register


def simple(name, expected, rule, note="", image="light", most=None, **target):
    """A scenario that is a rule over a good image."""
    def setup(server):
        case = Case(server, name).serve(image, rule)
        if most:
            case.at_most(most)
        return case.target(**target)
    SCENARIOS[name] = (setup, expected, note)


def content(name, expected, make, note="", media_type=OCI_MANIFEST, **target):
    """A scenario that is a manifest: `make(case)` gives its bytes or what becomes JSON."""
    def setup(server):
        case = Case(server, name)
        made = make(case)
        return case.serve_bytes(made if isinstance(made, bytes) else to_json(made), media_type).target(**target)
    SCENARIOS[name] = (setup, expected, note)


# ---------------------------------------------------------------- all is well

for _image, _platform in (("light", None), ("multi", "linux/arm64"), ("claims3g", None), ("docker_list", "linux/amd64"),
                          ("layers300", None)):
    simple("good_" + _image, None, None, image=_image, platform=_platform, most=6)


@scenario(None, "the URL of a foreign layer is never fetched")
def good_foreign(case):
    made = images.foreign(case.layout, f"{case.url('third')}/v2/{case.repository}/layer")
    case.visited("third", False)
    return case.serve_bytes(case.layout.bytes(made["digest"])).target(platform=None, also=["third"])


@scenario(None, "plain HTTP where it is configured")
def good_plain(case):
    return case.serve().target(kind="plain")


# ---------------------------------------------------------------- connections and TLS

@scenario("connect")
def refused(case):
    return case.serve().target(kind="refused")


@scenario("dns")
def unknown_name(case):
    return Target("no-such-host.invalid/app:1", [], {}, None)


@scenario("address-blocked", "a loopback address that is not configured; `tls` where a host counts as configured once a person has typed it")
def private_unconfigured(case):
    target = case.serve().target()
    target.hosts = []
    case.checks.append(lambda: ["it was asked"] if case.requests() else [])
    return target


@scenario("address-blocked", "the address of a cloud's metadata service")
def link_local(case):
    return Target(f"{METADATA}/app:1", [], {}, None)


@scenario("fetch-not-allowed", "`tls` where a host counts as configured once a person has typed it")
def not_allowed(case):
    target = case.serve().target()
    target.hosts = []
    target.spec = {"allow": ["registry.example", "*.corp"]}
    case.checks.append(lambda: ["it was asked"] if case.requests() else [])
    return target


@scenario(None, "what is listed is allowed besides")
def allowed(case):
    target = case.serve().target()
    target.spec = {"allow": ["registry.example"]}
    return target


@scenario("invalid-reference")
def upper_case_reference(case):
    return Target(f"{case.server.host}/Upper/App:1", [case.entry()], {}, None)


@scenario("invalid-reference", "a reference with a digest of another algorithm; a reference of that kind may be found invalid")
def md5_reference(case):
    return case.serve().target(digest="md5:" + "0" * 32)


for _kind, _note in (("expired", ""), ("wrong-name", ""), ("self-signed", ""), ("unknown-ca", ""), ("old-tls", "TLS 1.1 at most"),
                     ("plain-on-tls", "an HTTP server where TLS is expected"), ("garbage", "bytes of nothing at all")):
    simple("tls_" + _kind.replace("-", "_"), "tls", None, _note, kind=_kind)
simple("tls_reset", "tls", None, "reset during the handshake; `connect` would do as well", kind="reset")
simple("tls_no_handshake", "timeout", None, "accepted, and never a byte", kind="no-handshake")


@scenario("tls", "TLS on the port where plain HTTP is configured would send requests in the clear: never the other way round")
def https_never_becomes_http(case):
    return case.serve().target(kind="plain", plainHTTP=None)


# ---------------------------------------------------------------- slow, endless, broken

simple("never_answers", "timeout", lambda exchange: exchange.wait(60))
simple("slow_headers", "timeout", lambda exchange: exchange.trickle(b"HTTP/1.1 200 OK\r\nX-Long: " + b"a" * 600, 0.1))
simple("slow_body", "timeout", only("manifests", "GET", lambda exchange: exchange.raw(
    exchange.head(200, exchange.good_headers(*exchange.content()))) and exchange.trickle(exchange.content()[0], 0.2)))
simple("slow_config", "timeout", only("blobs", "GET", lambda exchange: exchange.raw(
    exchange.head(200, {"Content-Length": "500"})) and exchange.trickle(b" " * 500, 0.2)))


def endless(kind, framing, piece=b" " * 65536, status=200):
    def answer(exchange):
        headers = {"Content-Type": OCI_MANIFEST if kind == "manifests" else "application/octet-stream"}
        if framing != "none":
            headers["Transfer-Encoding"] = "chunked"
        exchange.raw(exchange.head(status, headers))
        return exchange.pour(piece, framing)
    return only(kind, "GET", answer)


def endless_scenario(name, expected, rule, note="", most=16 * MIB):
    def setup(server):
        case = Case(server, name).serve(rule=rule)
        case.poured_at_most(most)
        return case.target()
    SCENARIOS[name] = (setup, expected, note)


endless_scenario("endless_chunked", "too-large", endless("manifests", "chunked"))
endless_scenario("endless_without_length", "too-large", endless("manifests", "none"))
endless_scenario("endless_config", "too-large", endless("blobs", "chunked"))
endless_scenario("endless_error", "not-found", endless("manifests", "chunked", status=404), "HEAD finds it, GET does not")
endless_scenario("endless_small_chunks", "too-large", endless("manifests", "small chunks"), "the smallest chunks", 48 * MIB)


def announce(extra, then):
    """A Content-Length that is `extra` more than there is."""
    def answer(exchange):
        data, media_type = exchange.content()
        exchange.raw(exchange.head(200, {**exchange.good_headers(data, media_type), "Content-Length": str(len(data) + extra)}))
        exchange.raw(data[:len(data) + min(extra, 0)])
        return then(exchange)
    return only("manifests", "GET", answer)


simple("length_too_long_closed", "registry-error", announce(10, lambda exchange: exchange.close()))
simple("length_too_long_waits", "timeout", announce(10, lambda exchange: exchange.wait(60)))
simple("length_too_short", "digest-mismatch", announce(-10, lambda exchange: exchange.close()),
       "the header has the digest of the whole; invalid-content without looking at it")
simple("length_huge", "too-large", only("manifests", "GET", lambda exchange: exchange.raw(
    exchange.head(200, {"Content-Type": OCI_MANIFEST, "Content-Length": str(1 << 62)})) and exchange.wait(60)), "refused by its length alone")
simple("length_garbage", "registry-error", only("manifests", "GET", lambda exchange: exchange.raw(
    exchange.head(200, {"Content-Type": OCI_MANIFEST, "Content-Length": "12x"}) + b"{}") and exchange.close()))
simple("garbage_answer", "registry-error", lambda exchange: exchange.raw(b"SSH-2.0-OpenSSH_9.2\r\n\r\n") and exchange.close())
simple("empty_answer", "registry-error", lambda exchange: exchange.close(), "closed without a byte, each time")
simple("reset_before_headers", "registry-error", lambda exchange: exchange.reset())
simple("reset_in_headers", "registry-error", lambda exchange: exchange.raw(b"HTTP/1.1 200 OK\r\nContent-Ty") and exchange.reset())
simple("reset_in_body", "registry-error", only("manifests", "GET", lambda exchange: exchange.raw(
    exchange.head(200, exchange.good_headers(*exchange.content())) + exchange.content()[0][:50]) and exchange.reset()))
simple("header_of_40_kib", "registry-error", lambda exchange: exchange.send(200, b"{}", {"X-Long": "a" * 40960}))
simple("header_of_20_kib", None, with_headers(X_Long="a" * 20480))
simple("thousands_of_headers", "registry-error", lambda exchange: exchange.send(200, b"{}", {f"X-{n}": "value" for n in range(5000)}))


def dead_connection(exchange):
    """Answers well and then ends the connection without having said so."""
    exchange.serve()
    exchange.close()


def reset_connection(exchange):
    exchange.serve()
    exchange.wait(0.05)
    exchange.reset()


simple("dead_keepalive", None, dead_connection, "each answer is the last one of its connection")
simple("reset_keepalive", None, reset_connection, "the next request on that connection meets a reset")
simple("connection_close", None, lambda exchange: exchange.raw(exchange.head(200, {
    **exchange.good_headers(*exchange.content()), "Connection": "close"}) + (b"" if exchange.method == "HEAD" else exchange.content()[0]))
    and exchange.close())
simple("body_until_close", None, only("manifests", "GET", lambda exchange: exchange.raw(
    exchange.head(200, {"Content-Type": exchange.content()[1]}) + exchange.content()[0]) and exchange.close()), "neither length nor chunks")
simple("chunked", None, only(None, "GET", lambda exchange: exchange.raw(exchange.head(200, {
    "Content-Type": exchange.content()[1], "Transfer-Encoding": "chunked"}) + b"".join(
        b"%x;ext=1\r\n%s\r\n" % (len(part), part) for part in (exchange.content()[0][:7], exchange.content()[0][7:])) + b"0\r\n\r\n")))


# ---------------------------------------------------------------- states

for _status, _reason in ((403, "forbidden"), (451, "forbidden"), (404, "not-found"), (400, "registry-error"), (418, "registry-error"),
                         (500, "registry-error"), (502, "registry-error"), (503, "registry-error"), (504, "registry-error")):
    simple(f"status_{_status}", _reason, always(_status), most=4)
simple("status_404_empty", "not-found", always(404, body=b""))
simple("status_404_html", "not-found", always(404, body=b"<html>not here</html>", headers={"Content-Type": "text/html"}))
simple("status_204", "registry-error", always(204, body=b""))
simple("status_206", "registry-error", only(None, "GET", lambda exchange: exchange.send(206, exchange.content()[0][:20],
                                                                                       {"Content-Range": "bytes 0-19/400"})))
simple("status_304", "registry-error", only(None, "GET", lambda exchange: exchange.send(304)), "nobody asked for it")
simple("status_999", "registry-error", lambda exchange: exchange.raw(b"HTTP/1.1 9999 What\r\n\r\n") and exchange.close())
simple("html_with_200", "invalid-content", lambda exchange: exchange.send(200, b"<html>sign in</html>", {"Content-Type": "text/html"}),
       "a portal that answers for everybody; not-an-image would do")
simple("veto", "registry-veto", always(412, "PROJECTPOLICYVIOLATION"))
simple("veto_on_get", "registry-veto", lambda exchange: exchange.method == "GET" and exchange.error(412, "PROJECTPOLICYVIOLATION"))
simple("rate_limited", "rate-limited", always(429, "TOOMANYREQUESTS"), most=2)
simple("rate_limited_retry_after", "rate-limited", always(429, "TOOMANYREQUESTS", {"Retry-After": "120"}), "does not wait", most=2)
simple("rate_limited_retry_after_date", "rate-limited", always(429, "TOOMANYREQUESTS", {"Retry-After": "Fri, 31 Dec 2199 23:59:59 GMT"}), most=2)
simple("rate_limited_retry_after_garbage", "rate-limited", always(429, "TOOMANYREQUESTS", {"Retry-After": "-99999999999999999999"}), most=2)
simple("rate_limited_config", "rate-limited", always(429, "TOOMANYREQUESTS", kind="blobs"))
simple("config_missing", "not-found", always(404, "BLOB_UNKNOWN", kind="blobs"))
simple("head_403", None, only("manifests", "HEAD", lambda exchange: exchange.send(403)), "some registries let nobody ask by HEAD; forbidden would do")
simple("head_405", None, only("manifests", "HEAD", lambda exchange: exchange.send(405, b"", {"Allow": "GET"})))
simple("warning_header", "registry-error", with_headers(Warning='299 - "this image is \x1b[31mold"'))
for _status in (502, 503, 504):  # rules with a count are made anew by each setup
    def _fails_once(server, status=_status):
        return Case(server, f"status_{status}_once").serve(rule=fail_first(1, status)).target()
    SCENARIOS[f"status_{_status}_once"] = (_fails_once, None, "one failure, then all is well")


# ---------------------------------------------------------------- digests and headers

def other_body(exchange):
    """Asked for by digest, serves something else that is well-formed."""
    data = exchange.content()[0] + b"\n"
    return exchange.send(200, data, {**exchange.good_headers(*exchange.content()), "Content-Length": str(len(data))})


@scenario("digest-mismatch")
def wrong_body(case):
    return case.serve(rule=only("manifests", "GET", other_body)).target(digest=case.layout.names["light"]["digest"])


@scenario("digest-mismatch")
def wrong_child(case):
    def rule(exchange):
        return exchange.kind == "manifests" and exchange.name.startswith("sha256:") and exchange.content() and other_body(exchange)
    return case.serve("docker_list", rule).target(digest=None)


simple("wrong_config", "digest-mismatch", only("blobs", "GET", lambda exchange: exchange.send(200, exchange.content()[0] + b" ")))
simple("wrong_config_swapped", "digest-mismatch", only("blobs", "GET", lambda exchange: exchange.send(200, to_json(
    {"os": "linux", "architecture": "amd64", "config": {"User": "65532"}, "rootfs": {"type": "layers", "diff_ids": []}}))))


@scenario("digest-mismatch", "on HEAD and on GET of a tag, and it serves the same for that digest")
def wrong_digest_header(case):
    wrong, descriptor = "sha256:" + "0" * 64, case.layout.names["light"]
    case.server.add_manifest(case.repository, case.layout.bytes(descriptor["digest"]), descriptor["mediaType"], tag=wrong)
    return case.serve(rule=with_headers(Docker_Content_Digest=wrong)).target()


simple("garbage_digest_header", None, with_headers(Docker_Content_Digest="yes"), "no digest at all: our own hash counts; digest-mismatch would do")
simple("no_digest_header", None, with_headers(Docker_Content_Digest=None))
simple("gzip_encoded", "invalid-content", only("manifests", "GET", gzipped), "although identity was asked for; registry-error would do")
simple("gzip_unless_identity", None, lambda exchange: exchange.kind == "manifests" and exchange.method == "GET"
       and exchange.headers.get("accept-encoding") != "identity" and gzipped(exchange), "Accept-Encoding: identity is sent")
simple("needs_user_agent", None, lambda exchange: not exchange.headers.get("user-agent", "").startswith("plimsoll/")
       and exchange.error(403, "DENIED"), "User-Agent: plimsoll/VERSION is sent")
for _image in ("light", "multi", "docker_v2", "docker_list"):
    simple(f"needs_accept_{_image}", None, lambda exchange: exchange.kind == "manifests"
           and exchange.content()[1] not in exchange.headers.get("accept", "") and exchange.error(404, "MANIFEST_UNKNOWN"),
           "as docker-registry does: not found unless Accept has its media type", image=_image)
simple("content_type_json", None, with_headers(Content_Type="application/json"))
simple("content_type_text", None, with_headers(Content_Type="text/plain; charset=utf-8"))
simple("content_type_missing", None, with_headers(Content_Type=None))
simple("content_type_parameters", None, with_headers(Content_Type=OCI_MANIFEST + "; charset=utf-8"))
simple("content_type_upper", None, with_headers(Content_Type=OCI_MANIFEST.upper()))
simple("content_type_of_index", "ambiguous-json", with_headers(Content_Type=OCI_INDEX), "served as an index, and says that it is an image")
simple("content_type_docker", "ambiguous-json", with_headers(Content_Type=DOCKER_MANIFEST))
simple("content_type_schema1", "schema1", with_headers(Content_Type="application/vnd.docker.distribution.manifest.v1+prettyjws"))


def moving(case):
    """The tag is `light` when it is asked for first, and `fat` from then on."""
    fat, asked = case.layout.names["fat"], iter(range(1 << 30))

    def rule(exchange):
        if exchange.kind != "manifests" or exchange.name != "1" or next(asked) == 0:
            return False
        data = case.layout.bytes(fat["digest"])
        return exchange.send(200, data, exchange.good_headers(data, fat["mediaType"]))
    return rule


@scenario(None, "a tag that moves between two requests gives one image or the other, never a mixture")
def tag_moves(case):
    return case.serve(rule=moving(case)).target()


# ---------------------------------------------------------------- redirects

def elsewhere(case, kind="other", status=307, of="blobs"):
    """To the same path at another listener, which serves it."""
    def answer(exchange):
        if exchange.listener.kind == kind:
            return False
        return exchange.send(status, b"", {"Location": case.url(kind) + exchange.path})
    return only(of, None, answer)


def redirected(name, of, status=307, note=""):
    def setup(server):
        case = Case(server, name)
        case.serve(rule=elsewhere(case, status=status, of=of))
        case.no_credentials_at("other")
        case.visited("other")
        return case.target(also=["other"], credentials=USER)
    SCENARIOS[name] = (setup, None, note or "without credentials at the other host")


redirected("redirect_blob_elsewhere", "blobs")
redirected("redirect_manifest_elsewhere", "manifests", note="as registry.k8s.io does")
for _status in (301, 302, 303, 308):
    redirected(f"redirect_{_status}", "blobs", _status)


@scenario(None, "credentials that were sent to the registry do not follow to the other host")
def redirect_after_basic(case):
    basic = challenge('Basic realm="r"')
    case.serve(rule=lambda exchange: exchange.listener.kind == "good" and
               (basic(exchange) if exchange.basic() != USER else elsewhere(case)(exchange)))
    case.no_credentials_at("other")
    case.visited("other")
    return case.target(also=["other"], credentials=USER)


@scenario(None, "a bearer token does not follow either")
def redirect_after_bearer(case):
    case.bearer()
    ask = case.server.rules[case.repository]
    case.server.rules[case.repository] = lambda exchange: exchange.listener.kind == "good" and (ask(exchange) or elsewhere(case)(exchange))
    case.no_credentials_at("other")
    case.visited("other")
    return case.target(also=["other"], credentials=USER)


@scenario("unauthorized", "the other host asks for credentials: it gets none")
def redirect_then_challenge(case):
    case.serve(rule=lambda exchange: elsewhere(case)(exchange) if exchange.listener.kind == "good" else
               challenge('Basic realm="give me"')(exchange))
    case.no_credentials_at("other")
    return case.target(also=["other"], credentials=USER)


@scenario(None, "back to the registry after a detour: what was dropped is not sent again to the third host")
def redirect_twice(case):
    def rule(exchange):
        following = {"good": "other", "other": "third"}.get(exchange.listener.kind)
        return bool(following) and exchange.kind == "blobs" and exchange.send(307, b"", {"Location": case.url(following) + exchange.path})
    case.serve(rule=rule)
    for kind in ("other", "third"):
        case.no_credentials_at(kind)
        case.visited(kind)
    return case.target(also=["other", "third"], credentials=USER)


@scenario("address-blocked", "to a loopback port that is not configured; redirect-refused would do")
def redirect_to_unconfigured(case):
    case.visited("third", False)
    return case.serve(rule=elsewhere(case, "third")).target()


@scenario("redirect-refused", "never from TLS to plain HTTP")
def redirect_to_http(case):
    case.visited("other-plain", False)
    return case.serve(rule=elsewhere(case, "other-plain")).target(also=["other-plain"])


@scenario("redirect-refused")
def redirect_with_userinfo(case):
    case.visited("other", False)
    host = case.server.listener("other").host
    return case.serve(rule=redirect(lambda exchange: f"https://user:word@{host}{exchange.path}")).target(also=["other"])


simple("redirect_loop", "redirect-refused", redirect(lambda exchange: exchange.path), "to itself", most=12)
simple("redirect_manifest_loop", "redirect-refused", redirect(lambda exchange: exchange.path, "manifests"), most=12)
simple("redirect_growing", "redirect-refused", redirect(lambda exchange: exchange.path + ("&" if "?" in exchange.path else "?") + "again"), most=12)
simple("redirect_relative", None, lambda exchange: exchange.kind == "blobs" and "?" not in exchange.path
       and exchange.send(307, b"", {"Location": exchange.path + "?here"}), "a Location without a host")
simple("redirect_to_metadata", "address-blocked", redirect(f"https://{METADATA}/latest/meta-data/"))
simple("redirect_to_mapped_metadata", "address-blocked", redirect(f"https://[::ffff:{METADATA}]/latest/meta-data/"))
simple("redirect_to_decimal_metadata", "address-blocked", redirect("https://2852039166/latest/meta-data/"), "169.254.169.254 as one number; dns or redirect-refused would do")
simple("redirect_to_http_metadata", "redirect-refused", redirect(f"http://{METADATA}/latest/meta-data/"))
simple("redirect_to_file", "redirect-refused", redirect("file:///etc/passwd"))
simple("redirect_to_long", "redirect-refused", redirect(lambda exchange: exchange.path + "?" + "a" * 9216), "a Location of 9 KiB")
simple("redirect_to_garbage", "redirect-refused", redirect("https://[not a host/"))
simple("redirect_without_location", "redirect-refused", redirect(None), "registry-error would do")


# ---------------------------------------------------------------- mirrors

def mirrored(case, host, kind="other"):
    """`host` is what the reference names, its mirror is a listener."""
    case.no_credentials_at(kind)
    entries = [{"host": host, "private": True, "ca": str(case.server.authority.ca), "mirrors": [case.url(kind) + "/v2/"]}, case.entry(kind)]
    return Target(f"{host}/{case.repository}:1", entries, {host: USER}, "linux/amd64", case.checks)


@scenario(None, "the registry itself is not to be found, its mirror is; the registry's credentials stay here")
def mirror_alone(case):
    case.serve().visited("other")
    return mirrored(case, "registry.invalid")


@scenario(None, "nobody answers at the mirror, the registry does")
def mirror_down(case):
    return mirrored(case.serve(), case.server.host, "refused")


@scenario(None, "the mirror does not have the image, the registry does")
def mirror_without_it(case):
    case.visited("other")
    case.serve(rule=lambda exchange: exchange.listener.kind == "other" and exchange.error(404, "MANIFEST_UNKNOWN"))
    return mirrored(case, case.server.host)


@scenario(None, "the mirror asks for credentials: it gets none, and the registry is asked instead")
def mirror_wants_credentials(case):
    case.serve(rule=lambda exchange: exchange.listener.kind == "other" and challenge('Basic realm="m"')(exchange))
    return mirrored(case, case.server.host)


# ---------------------------------------------------------------- who may

simple("basic_good", None, lambda exchange: exchange.basic() != USER and challenge('Basic realm="r", charset="UTF-8"')(exchange), credentials=USER)
simple("basic_wrong", "unauthorized", lambda exchange: exchange.basic() != USER and challenge('Basic realm="r"')(exchange),
       credentials=("reader", "wrong"), most=4)
simple("basic_none", "unauthorized", challenge('Basic realm="r"'), most=4)
simple("without_challenge", "unauthorized", always(401, "UNAUTHORIZED"), credentials=USER, most=4)
simple("negotiate_only", "unsupported-auth", challenge("Negotiate"), credentials=USER)
simple("digest_only", "unsupported-auth", challenge('Digest realm="r", nonce="n", qop="auth"'), credentials=USER)
simple("challenge_garbage", "unsupported-auth", challenge('=,"=, ,Bearer'), "unauthorized would do", credentials=USER)
simple("challenge_huge", "unsupported-auth", challenge('Bearer realm="' + "a" * 20480 + '"'), "unauthorized would do")
simple("challenge_of_16_commas", "unsupported-auth", challenge("," * 9000), "unauthorized would do")


@scenario(None, "a token without credentials")
def bearer_anonymous(case):
    case.at_most(9)
    return case.bearer().target()


@scenario(None, "credentials go to the realm on the registry's own host")
def bearer_with_credentials(case):
    return case.bearer(token=gives_token(users=[USER])).target(credentials=USER)


@scenario("unauthorized")
def bearer_wrong_credentials(case):
    return case.bearer(token=gives_token(users=[USER])).target(credentials=("reader", "wrong"))


@scenario("unauthorized", "401 even with the token it gave")
def bearer_loop(case):
    case.at_most(8)
    return case.bearer(accepted="nothing is good enough").target(credentials=USER)


@scenario(None, "the token is no longer good when the config is asked for: a second one is fetched")
def bearer_second_token(case):
    count = iter(range(1, 1 << 30))
    case.bearer(token=lambda exchange: exchange.send(200, b'{"token":"token-%d"}' % next(count)))
    text = f'Bearer realm="{case.realm()}",service="s",error="invalid_token"'
    rules = {"manifests": challenge(text, "Bearer token-1"), "blobs": challenge(text, "Bearer token-2")}
    case.server.rules[case.repository] = lambda exchange: exchange.kind in rules and rules[exchange.kind](exchange)
    return case.target()


def own_scope(case):
    def check():
        asked = [one.path.replace("%3A", ":").replace("%2F", "/") for one in case.requests() if one.path.startswith("/token/")]
        return [f"asked for {path}" for path in asked if f"scope=repository:{case.repository}:pull" not in path or "victim" in path]
    case.checks.append(check)


@scenario(None, "the challenge names another repository: what is asked for is our own")
def bearer_scope_of_another(case):
    own_scope(case)
    return case.bearer(scope="repository:victim/secret:pull,push").target(credentials=USER)


@scenario(None, "a service that wants to be more than a parameter")
def bearer_service_injection(case):
    def token(exchange):
        fine = "&evil=1" not in exchange.path and "\r" not in exchange.path and " " not in exchange.path
        return exchange.send(200, b'{"token":"good-token"}') if fine else exchange.error(400, "INJECTED")
    case.bearer(token=token)
    case.server.rules[case.repository] = challenge(f'Bearer realm="{case.realm()}",service="a b&evil=1#x"', TOKEN)
    return case.target()


@scenario(None, "a realm that has a query already")
def realm_with_query(case):
    return case.bearer(realm=case.realm() + "?account=x").target()


@scenario("untrusted-realm")
def realm_elsewhere(case):
    case.no_credentials_at("other")
    return case.bearer(kind="other", token=gives_token(users=[USER])).target(also=["other"], credentials=USER)


@scenario(None, "the realm elsewhere gives a token to everybody: no credentials are needed, and none are sent")
def realm_elsewhere_anonymous(case):
    case.no_credentials_at("other")
    case.visited("other")
    return case.bearer(kind="other").target(also=["other"], credentials=USER)


@scenario(None, "the realm is named in tokenRealms")
def realm_elsewhere_trusted(case):
    return case.bearer(kind="other", token=gives_token(users=[USER])).target(
        also=["other"], credentials=USER, tokenRealms=[case.server.listener("other").host])


@scenario("address-blocked", "no credentials are at stake, and yet nobody asks there")
def realm_unconfigured(case):
    case.visited("third", False)
    return case.bearer(kind="third").target()


@scenario("address-blocked", "untrusted-realm would do")
def realm_metadata(case):
    return case.bearer(realm=f"https://{METADATA}/latest/meta-data/").target()


@scenario("untrusted-realm", "address-blocked would do")
def realm_metadata_with_credentials(case):
    return case.bearer(realm=f"https://{METADATA}/latest/meta-data/").target(credentials=USER)


@scenario("untrusted-realm")
def realm_http(case):
    case.visited("other-plain", False)
    return case.bearer(kind="other-plain").target(also=["other-plain"], credentials=USER)


@scenario("untrusted-realm", "the realm on the registry's own port, but in the clear")
def realm_http_same_host(case):
    return case.bearer(realm=case.realm().replace("https:", "http:")).target(credentials=USER)


@scenario("untrusted-realm")
def realm_userinfo(case):
    host = case.server.listener("other").host
    case.no_credentials_at("other")
    return case.bearer(realm=f"https://{case.server.host}@{host}/token/{case.repository}").target(also=["other"], credentials=USER)


for _name, _realm in (("garbage", "https://[::not/"), ("file", "file:///etc/passwd"), ("relative", "/token"), ("empty", ""),
                      ("long", "https://127.0.0.1/" + "a" * 3000), ("control", "https://127.0.0.1/a\\\x7f")):
    simple(f"realm_{_name}", "registry-error" if _name == "control" else "untrusted-realm", challenge(f'Bearer realm="{_realm}",service="s"'), "unsupported-auth would do", credentials=USER)
simple("realm_missing", "untrusted-realm", challenge('Bearer service="s"'), "unsupported-auth would do", credentials=USER)


@scenario(None, "Negotiate and Bearer in headers of their own")
def several_headers(case):
    case.bearer()
    case.server.rules[case.repository] = challenge(["Negotiate", 'Basic realm="x"', f'bEARER rEALM="{case.realm()}", service="s"'], TOKEN)
    return case.target()


@scenario(None, "several challenges in one header, commas within quotes")
def several_in_one_header(case):
    case.bearer()
    case.server.rules[case.repository] = challenge(
        f'Negotiate abc==, Digest realm="a,b\\"c", qop="auth", Bearer realm="{case.realm()}" , service="s,t",scope="repository:x:pull,push"', TOKEN)
    return case.target()


for _name, _expected, _token, _note in (
        ("401", "unauthorized", always(401), ""), ("403", "forbidden", always(403), "unauthorized would do"),
        ("404", "unauthorized", always(404), "registry-error would do"),
        ("500", "registry-error", always(500), ""), ("garbage", "registry-error", gives_token(b"\x00\xff"), "invalid-content would do"),
        ("html", "registry-error", gives_token(b"<html>"), "invalid-content would do"),
        ("empty", "registry-error", gives_token(b"{}"), "invalid-content would do"),
        ("of_a_number", "registry-error", gives_token(b'{"token":5}'), "invalid-content would do"),
        ("huge", "too-large", gives_token(b'{"token":"' + b"A" * MIB + b'"}'), "registry-error would do"),
        ("of_20_kib", "registry-error", gives_token(b'{"token":"' + b"A" * 20480 + b'"}'), "too-large would do"),
        ("of_12_kib", None, gives_token(b'{"token":"' + b"A" * 12288 + b'"}'), "long, and fine"),
        ("injecting", "registry-error", gives_token(b'{"token":"abc\\r\\nX-Injected: yes"}'), "invalid-content would do"),
        ("slow", "timeout", lambda exchange: exchange.wait(60), ""),
        ("redirecting", "redirect-refused", always(307, headers={"Location": "/elsewhere"}), "registry-error would do"),
        ("without_expiry", None, gives_token(b'{"token":"good-token"}'), "lives 60 s then"),
        ("as_access_token", None, gives_token(b'{"access_token":"good-token","expires_in":300}'), ""),
        ("of_strange_expiry", None, gives_token(b'{"token":"good-token","expires_in":-5}'), "")):
    def _token_case(server, name="token_" + _name, token=_token, long=_name == "of_12_kib"):
        return Case(server, name).bearer(token=token, accepted="Bearer " + "A" * 12288 if long else TOKEN).target()
    SCENARIOS["token_" + _name] = (_token_case, _expected, _note)


@scenario(None, "one 503 of the token service, then all is well; registry-error would do")
def token_503_once(case):
    fails, good = fail_first(1, 503), gives_token()
    return case.bearer(token=lambda exchange: fails(exchange) or good(exchange)).target()


# ---------------------------------------------------------------- JSON

def changed(change):
    """The manifest of `light` with text replaced in it."""
    def make(case):
        text = case.text()
        old, new = change(case.manifest())
        if old not in text:
            raise ValueError(f"{old} is not in the manifest")
        return text.replace(old, new, 1).encode()
    return make


def sized(text):
    return changed(lambda manifest: (f'"size":{manifest["layers"][0]["size"]}', f'"size":{text}'))


for _name, _text in (("negative", "-5"), ("of_2_to_63", str(1 << 63)), ("of_2_to_64", str(1 << 64)), ("of_2_to_53_and_1", str((1 << 53) + 1)),
                     ("exponent", "1e3"), ("float", "1.0"), ("text", '"12"'), ("null", "null"), ("of_400_digits", "9" * 400)):
    content(f"size_{_name}", "invalid-content", sized(_text))
content("size_missing", "invalid-content", changed(lambda manifest: (f',"size":{manifest["layers"][0]["size"]}', "")))
content("many_huge_sizes", None, lambda case: {**case.manifest(), "layers": [
    {**case.manifest()["layers"][0], "size": 1 << 53}]}, "2^53 is a size; inconsistent-image is wrong here")
content("duplicate_layers", "ambiguous-json", lambda case: case.text()[:-1].encode() + b',"layers":[]}')
content("duplicate_in_descriptor", "ambiguous-json", changed(lambda manifest: ('"config":{', '"config":{"size":1,')))
content("escaped_duplicate", "ambiguous-json", lambda case: case.text()[:-1].encode() + b',"l\\u0061yers":[]}', "the same key, written otherwise")
content("case_variant_layers", "ambiguous-json", lambda case: case.text()[:-1].encode() + b',"LAYERS":[]}')
content("case_variant_in_descriptor", "ambiguous-json", changed(lambda manifest: ('"config":{', '"config":{"Size":1,')))
content("long_s_variant", "ambiguous-json", lambda case: case.text()[:-1].encode() + ',"layer\u017f":[]}'.encode(), "Go takes the long s for an s")
content("case_variant_in_annotations", None, lambda case: {**case.manifest(), "annotations": {"a.b": "1", "A.B": "2"}}, "a map: both are kept")
content("byte_order_mark", "invalid-content", lambda case: b"\xef\xbb\xbf" + case.text().encode())
content("nul_then_more", "invalid-content", lambda case: case.text().encode() + b'\x00{"layers":[]}')
content("two_documents", "invalid-content", lambda case: case.text().encode() * 2)
content("trailing_newline", None, lambda case: b"\n " + case.text().encode() + b"\n")
content("invalid_utf8", "invalid-content", lambda case: case.text()[:-1].encode() + b',"x":"\xff\xfe"}')
content("lone_surrogate", "invalid-content", lambda case: case.text()[:-1].encode() + b',"x":"\\ud800"}')
content("truncated", "invalid-content", lambda case: case.text()[:-20].encode())
content("empty_body", "invalid-content", lambda case: b"")
content("null_document", "invalid-content", lambda case: b"null")
content("nested_100k", "too-large", lambda case: b'{"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}")
content("nested_100k_bare", "too-large", lambda case: b"[" * 100_000 + b"]" * 100_000, "invalid-content would do")
content("objects_4mib", "too-large", lambda case: case.text()[:-1].encode() + b',"x":[' + b",".join([b"{}"] * 1_398_000) + b"]}", "1.4 million values")
content("array_4mib", "invalid-content", lambda case: b"[" + b",".join([b"{}"] * 1_398_000) + b"]", "no object; too-large would do")
content("over_4mib", "too-large", lambda case: case.text().encode() + b" " * (4 * MIB))
content("just_under_4mib", None, lambda case: case.text().encode() + b" " * (4 * MIB - len(case.text().encode()) - 1))
content("string_of_1_mib", "too-large", lambda case: {**case.manifest(), "annotations": {"a": "x" * MIB}})
content("manifests_and_layers", "ambiguous-json", lambda case: {**case.manifest(), "manifests": []})
content("index_with_config", "ambiguous-json", lambda case: {**case.manifest("multi"), "config": case.manifest()["config"]}, media_type=OCI_INDEX)
content("fs_layers_too", "ambiguous-json", lambda case: {**case.manifest(), "fsLayers": []})
content("type_differs", "ambiguous-json", lambda case: {**case.manifest(), "mediaType": OCI_INDEX})
content("type_inferred", None, lambda case: {key: value for key, value in case.manifest().items() if key != "mediaType"}, media_type="application/json")
content("unknown_type", "not-an-image", lambda case: {**case.manifest(), "mediaType": "application/vnd.example.thing+json"},
        media_type="application/vnd.example.thing+json")
content("layers_no_list", "invalid-content", lambda case: {**case.manifest(), "layers": {"digest": "x"}})
content("layers_of_texts", "invalid-content", lambda case: {**case.manifest(), "layers": ["sha256:" + "0" * 64]})
content("config_missing_in_manifest", "invalid-content", lambda case: {key: value for key, value in case.manifest().items() if key != "config"})
content("digest_malformed", "invalid-content", lambda case: {**case.manifest(), "config": {**case.manifest()["config"], "digest": "sha256:../../x"}})
content("digest_with_path", "invalid-content", lambda case: {**case.manifest(), "config": {**case.manifest()["config"], "digest": "sha256:" + "0" * 60 + "/../"}})
content("digest_of_md5", "unsupported-digest", lambda case: {**case.manifest(), "config": {**case.manifest()["config"], "digest": "md5:" + "0" * 32}})
content("schema1_signed", "schema1", lambda case: images.schema1(case.repository), media_type="application/vnd.docker.distribution.manifest.v1+prettyjws")
content("schema1_as_json", "schema1", lambda case: images.schema1(case.repository), media_type="application/json")
simple("artifact", "not-an-image", None, image="artifact")
simple("helm", "not-an-image", None, image="helm")


# ---------------------------------------------------------------- images that do not fit together

def many_layers(number):
    def make(case):
        layers = [{"mediaType": OCI_LAYER + "+gzip", "digest": digest_of(b"%d" % n), "size": 100} for n in range(number)]
        config = to_json({"os": "linux", "architecture": "amd64", "config": {},
                          "rootfs": {"type": "layers", "diff_ids": [layer["digest"] for layer in layers]}})
        case.server.add_blob(case.repository, config)
        return {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "layers": layers,
                "config": {"mediaType": OCI_CONFIG, "digest": digest_of(config), "size": len(config)}}
    return make


def with_config(text):
    """The manifest of `light` with another config, served as these bytes (or what becomes JSON)."""
    def make(case):
        document = case.layout.json(case.manifest()["config"])
        data = text(document)
        data = data if isinstance(data, bytes) else to_json(data)
        case.server.add_blob(case.repository, data)
        return {**case.manifest(), "config": {"mediaType": OCI_CONFIG, "digest": digest_of(data), "size": len(data)}}
    return make


content("layers_1000", None, many_layers(1000))
content("layers_1001", "too-large", many_layers(1001))
content("layers_20000", "too-large", many_layers(20000))
content("config_of_another", "inconsistent-image", lambda case: {**case.manifest(), "config": case.manifest("shared_a")["config"]},
        "three diff_ids, one layer")
content("config_without_rootfs", "inconsistent-image", with_config(lambda document: {**document, "rootfs": None}), "invalid-content would do")
content("config_of_5_mib", "too-large", with_config(lambda document: json.dumps(document).encode() + b" " * (5 * MIB)))
content("config_is_html", "invalid-content", with_config(lambda document: b"<html>"))
content("config_duplicate", "ambiguous-json", with_config(lambda document: to_json(document)[:-1] + b',"config":{"User":"0"}}'))
content("config_case_variant", "ambiguous-json", with_config(lambda document: {**document, "Config": {"User": "0"}}))
content("config_user_case_variant", "ambiguous-json", with_config(lambda document: {**document, "config": {**document["config"], "user": "0"}}))
content("config_label_case_variant", None, with_config(lambda document: {**document, "config": {**document["config"], "Labels": {"a": "1", "A": "2"}}}))
content("config_user_is_number", "invalid-content", with_config(lambda document: {**document, "config": {"User": 0}}))
content("config_history_of_5000", "too-large", with_config(lambda document: {**document, "history": [{"created_by": "RUN"}] * 5000}))
content("config_env_of_2000", "too-large", with_config(lambda document: {**document, "config": {"Env": [f"A{n}=1" for n in range(2000)]}}))
content("config_unknown_members", None, with_config(lambda document: {**document, "moby.buildkit.buildinfo.v1": "e30=", "x": [[[]]]}))
content("config_nulls", None, with_config(lambda document: {**document, "history": None, "config": {
    "Labels": None, "Env": None, "Healthcheck": None, "Entrypoint": None, "Cmd": None}}))
content("config_nested", "too-large", with_config(lambda document: to_json(document)[:-1] + b',"x":' + b"[" * 5000 + b"]" * 5000 + b"}"))


def nest(case, depth):
    """An index in an index ..., `depth` of them, around one image."""
    inner = {**case.layout.names["light"], "platform": {"os": "linux", "architecture": "amd64"}}
    inner.pop("annotations", None)
    for _ in range(depth):
        data = to_json({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [inner]})
        case.server.add_manifest(case.repository, data, OCI_INDEX, tag="1")
        inner = {"mediaType": OCI_INDEX, "digest": digest_of(data), "size": len(data)}
    return case


@scenario(None, "an index in an index")
def index_depth_2(case):
    return nest(case, 2).target()


@scenario("too-large", "deeper than two; an index cannot list itself, but its like could go on for ever")
def index_depth_3(case):
    case.at_most(12)
    return nest(case, 3).target()


@scenario("too-large")
def index_depth_20(case):
    case.at_most(12)
    return nest(case, 20).target()


def children(number, change=lambda entry, n: entry):
    def make(case):
        entry = {**case.layout.names["light"], "platform": {"os": "linux", "architecture": "amd64"}}
        entry.pop("annotations", None)
        return {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [change(dict(entry), n) for n in range(number)]}
    return make


def on_other_platform(entry, n):
    return {**entry, "platform": {"os": "linux", "architecture": f"a{n}"}} if n else entry


content("index_of_100", None, children(100, on_other_platform), media_type=OCI_INDEX)
content("index_of_101", "too-large", children(101, on_other_platform), media_type=OCI_INDEX)
content("index_of_none", "no-matching-platform", children(0), media_type=OCI_INDEX)
content("index_child_missing", "not-found", children(1, lambda entry, n: {**entry, "digest": "sha256:" + "a" * 64}), media_type=OCI_INDEX)
content("index_platform_case_variant", "ambiguous-json", children(1, lambda entry, n: {
    **entry, "platform": {"os": "linux", "architecture": "amd64", "OS": "windows"}}), media_type=OCI_INDEX)
content("index_child_without_platform", None, children(1, lambda entry, n: {k: v for k, v in entry.items() if k != "platform"}),
        "its config says what it is for", media_type=OCI_INDEX)
content("index_of_attestations", "no-matching-platform", children(3, lambda entry, n: {
    **entry, "platform": {"os": "unknown", "architecture": "unknown"},
    "annotations": {"vnd.docker.reference.type": "attestation-manifest"}}), media_type=OCI_INDEX)
simple("other_platform_only", "no-matching-platform", None, image="only_arm64", platform="linux/amd64")
simple("other_variant", None, None, image="multi", platform="linux/arm64/v8")
