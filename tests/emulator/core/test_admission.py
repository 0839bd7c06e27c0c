"""Which requests the offline world answers: only those addressed to it, not from a web page, and signed with one of its keys."""

import re
import socket
import subprocess
import sys
from urllib.parse import quote, urlsplit

import boto3
import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from tools.emulator.world import World

BUCKET = "amzn-s3-demo-bucket"
ACCOUNT = "111122223333"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/editor"
# A call of every service that the world has, with the codes for an unknown key, a wrong token and a wrong secret.
XML = ("InvalidAccessKeyId", "InvalidToken", "SignatureDoesNotMatch")
QUERY = ("InvalidClientTokenId", "InvalidClientTokenId", "SignatureDoesNotMatch")
JSON = ("UnrecognizedClientException", "UnrecognizedClientException", "InvalidSignatureException")
SERVICES = {
    "s3": (lambda client: client.list_buckets(), XML),
    "s3control": (lambda client: client.list_jobs(AccountId=ACCOUNT), XML),
    "sqs": (lambda client: client.list_queues(), JSON),
    "sns": (lambda client: client.list_topics(), QUERY),
    "dynamodb": (lambda client: client.list_tables(), JSON),
    "lambda": (lambda client: client.list_functions(), JSON),
    "rekognition": (lambda client: client.get_content_moderation(JobId="0" * 64), JSON),
    "cloudformation": (lambda client: client.describe_stacks(), QUERY),
    "events": (lambda client: client.list_rules(), JSON),
    "iam": (lambda client: client.list_roles(), QUERY),
    "sts": (lambda client: client.get_caller_identity(), QUERY),
    "ssm": (lambda client: client.describe_parameters(), JSON),
    "service-quotas": (lambda client: client.list_service_quotas(ServiceCode="rekognition"), JSON),
    "logs": (lambda client: client.describe_log_groups(), JSON),
    "cloudwatch": (lambda client: client.describe_alarms(), JSON),
}


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """A world with a bucket that shares its objects with any web page."""
    with World(directory=tmp_path_factory.mktemp("world")) as opened:
        s3 = opened.client("s3")
        s3.create_bucket(Bucket=BUCKET)
        s3.put_object(Bucket=BUCKET, Key="a b/+.mp4", Body=b"film", Metadata={"with_underscore": "two  blanks"})
        rule = {"AllowedOrigins": ["*"], "AllowedMethods": ["GET", "PUT"], "AllowedHeaders": ["*"]}
        s3.put_bucket_cors(Bucket=BUCKET, CORSConfiguration={"CORSRules": [rule]})
        yield opened


@pytest.fixture(scope="module")
def session():
    """Return a session without credentials: what it loads of botocore's models takes most of a test's time."""
    return boto3.Session(region_name="us-east-1")


@pytest.fixture
def client(world, session):
    """Return a maker of clients that sign with given keys."""

    def make(service, access_key, secret_key, token=None, **config):
        control = service == "s3control"
        return session.client(
            service,
            endpoint_url="http://s3control.invalid" if control else world.endpoint,
            aws_access_key_id=access_key,
            aws_secret_access_key=secret_key,
            aws_session_token=token,
            config=Config(proxies={"http": world.endpoint} if control else {}, retries={"total_max_attempts": 1}, **config),
        )

    return make


def host(world):
    """Return host and port as the world's URL has them."""
    return urlsplit(world.endpoint).netloc


def sent(world, data):
    """Send bytes over a connection and return the statuses and all that came back."""
    with socket.create_connection(("127.0.0.1", urlsplit(world.endpoint).port), timeout=30) as connection:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: connection.recv(65_536), b""))
    return [int(status) for status in re.findall(rb"HTTP/1\.[01] (\d{3}) ", answer)], answer


def signed(world, method="GET", path="/", *, keys=None, named=None, target=None, body=b"", headers=(), version="HTTP/1.1"):
    """Return a request as bytes, signed for S3 with the user's keys as if it were sent to the world's own URL."""
    keys = keys or world.keys.user
    request = AWSRequest(method, f"{world.endpoint}{path}", data=body, headers={"Host": named or host(world)})
    S3SigV4Auth(Credentials(keys.access_key, keys.secret_key, keys.session_token), "s3", "us-east-1").add_auth(request)
    lines = [f"{method} {target or path} {version}", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in request.headers.items()]
    lines += [f"{name}: {value}" for name, value in headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


def without(request, name):
    """Return a request without one header."""
    return b"\r\n".join(line for line in request.split(b"\r\n") if not line.lower().startswith(name.lower() + b":"))


@pytest.mark.parametrize("service", SERVICES)
def test_no_service_answers_a_stranger(world, client, service):
    """An unknown key, a known one with a wrong secret, and one with a wrong token: 403 with the code of the protocol."""
    call, codes = SERVICES[service]
    user, session = world.keys.user, world.keys.session(ROLE, "edit")
    strangers = [
        ("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
        (user.access_key, user.secret_key, "token"),
        (user.access_key, "wrong"),
        (user.access_key.lower(), user.secret_key),
        (session.access_key, session.secret_key),
    ]

    refused = []
    for keys in strangers:
        with pytest.raises(ClientError) as raised:
            call(client(service, *keys))
        refused.append((raised.value.response["ResponseMetadata"]["HTTPStatusCode"], raised.value.response["Error"]["Code"]))

    assert refused == [(403, codes[number]) for number in (0, 1, 2, 0, 1)]


@pytest.mark.parametrize("service", sorted(set(SERVICES) - {"rekognition"}))
def test_every_service_answers_the_user_and_a_role(world, client, service):
    """The world's own keys are accepted by each of its services, a user's and a session's with its token."""
    call, _ = SERVICES[service]
    user, session = world.keys.user, world.keys.session(ROLE, "edit")

    answers = [
        call(client(service, user.access_key, user.secret_key)),
        call(client(service, session.access_key, session.secret_key, session.session_token)),
    ]

    assert [answer["ResponseMetadata"]["HTTPStatusCode"] for answer in answers] == [200, 200]


@pytest.mark.parametrize(
    "named",
    [
        "localhost:{port}",
        "127.0.0.1",
        "127.0.0.1:1",
        "127.0.0.1:0{port}",
        "127.0.0.2:{port}",
        "[::1]:{port}",
        "rebound.example:{port}",
        "127.0.0.1:{port}.evil.com",
        "user@127.0.0.1:{port}",
        "evil.s3control.invalid.evil.com",
        "s3control.invalid",
        "evils3control.invalid",
        "x.s3control.invalid:{port}",
        "a,x.s3control.invalid",
        "0x7f000001:{port}",
        "",
    ],
)
def test_another_host_is_refused(world, named):
    """By any name but the world's own address, a signature with the right key does not help (DNS rebinding)."""
    named = named.format(port=urlsplit(world.endpoint).port)

    statuses, answer = sent(world, signed(world, named=named or " "))

    assert statuses == [403]
    assert b"<Code>AccessDenied</Code>" in answer


def test_a_request_says_once_where_it_goes(world):
    """No Host, two of them, or an absolute target that says another: refused; HTTP/1.0 and a target that agrees: answered."""
    good, own = signed(world), host(world)

    answers = {
        "HTTP/1.0": signed(world, version="HTTP/1.0"),
        "absolute": signed(world, target=f"http://{own}/"),
        "proxied": signed(
            world, path="/v20180820/jobs", named=f"{ACCOUNT}.S3Control.invalid", headers=[("x-amz-account-id", ACCOUNT)]
        ),
        "no Host": without(good, b"Host"),
        "HTTP/1.0 without Host": without(signed(world, version="HTTP/1.0"), b"Host"),
        "two hosts": signed(world, headers=[("Host", "evil.example")]),
        "twice the same": signed(world, headers=[("Host", own)]),
        "absolute elsewhere": signed(world, target="http://evil.example/"),
        "absolute here, Host elsewhere": signed(world, named="evil.example", target=f"http://{own}/"),
        "proxied elsewhere": signed(world, named="evil.example", target="http://evil.example/"),
    }

    statuses = {name: sent(world, request)[0] for name, request in answers.items()}

    assert statuses == {name: [200] if name in {"HTTP/1.0", "absolute", "proxied"} else [403] for name in answers}


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "", "http://127.0.0.1:8080"])
@pytest.mark.parametrize("method", ["GET", "PUT", "OPTIONS"])
def test_no_web_page_is_answered(world, origin, method):
    """An Origin is refused, signed or not, and no answer lets a page read it, whatever the bucket's own CORS rules say."""
    path = f"/{BUCKET}/a%20b/%2B.mp4"
    asked = [("Origin", origin), ("Access-Control-Request-Method", "PUT")]
    unsigned = f"{method} {path} HTTP/1.1\r\nHost: {host(world)}\r\nOrigin: {origin}\r\nContent-Length: 0\r\n\r\n".encode()

    for request in (signed(world, method, path, headers=asked), unsigned):
        statuses, answer = sent(world, request)
        assert statuses == [403]
        assert b"access-control" not in answer.lower()

    assert world.client("s3").get_object(Bucket=BUCKET, Key="a b/+.mp4")["Body"].read() == b"film"


@pytest.mark.parametrize("method", ["GET", "OPTIONS"])
def test_no_answer_is_shared_with_web_pages(world, method):
    """An answered request, too, gets no CORS headers of moto's."""
    statuses, answer = sent(world, signed(world, method, f"/{BUCKET}/a%20b/%2B.mp4"))

    assert statuses == [200]
    assert b"access-control" not in answer.lower()


@pytest.mark.parametrize(
    ("request_line", "headers", "code"),
    [
        ("GET / HTTP/1.1", "", "AccessDenied"),
        (f"GET /{BUCKET}/a%20b/%2B.mp4 HTTP/1.1", "", "AccessDenied"),
        ("GET /moto-api/data.json HTTP/1.1", "", "AccessDenied"),
        ("POST /moto-api/reset HTTP/1.1", "", "AccessDenied"),
        ("GET /favicon.ico HTTP/1.1", "", "AccessDenied"),
        ("GET /latest/meta-data/iam/security-credentials/x HTTP/1.1", "", "AccessDenied"),
        ("GET /?Action=ConfirmSubscription&TopicArn=x&Token=y HTTP/1.1", "", "AccessDenied"),
        ("GET /sqs_us-east-1/queue HTTP/1.1", "", "AccessDenied"),
        ("POST /2015-03-31/functions HTTP/1.1", "", "AccessDenied"),
        ("CONNECT 127.0.0.1:443 HTTP/1.1", "", "AccessDenied"),
        ("POST / HTTP/1.1", "X-Amz-Target: DynamoDB_20120810.ListTables\r\n", "MissingAuthenticationTokenException"),
        ("POST / HTTP/1.1", "Content-Type: application/x-www-form-urlencoded\r\n", "MissingAuthenticationToken"),
        ("POST / HTTP/1.1", "X-Amz-Target: X.Y\r\nAuthorization: Bearer x\r\n", "IncompleteSignatureException"),
        ("GET / HTTP/1.1", "Authorization: AWS {key}:c2lnbmF0dXJl\r\n", "AccessDenied"),
        (
            "GET / HTTP/1.1",
            "Authorization: AWS4-HMAC-SHA256 Credential={key}/20260101/us-east-1/s3/aws4_request\r\n",
            "AccessDenied",
        ),
        ("GET /?AWSAccessKeyId={key} HTTP/1.1", "", "AccessDenied"),
        ("GET /?X-Amz-Credential={key} HTTP/1.1", "", "AccessDenied"),
        ("GET /?AWSAccessKeyId=AKIAIOSFODNN7EXAMPLE&Signature=x&Expires=9 HTTP/1.1", "", "InvalidAccessKeyId"),
        ("GET /?AWSAccessKeyId={key}&Signature=x&Expires=9 HTTP/1.1", "", "SignatureDoesNotMatch"),
    ],
)
def test_nothing_unsigned_is_answered(world, request_line, headers, code):
    """Neither an AWS call nor moto's own pages: 403, in the form of the protocol as far as the request shows one."""
    key = world.keys.user.access_key
    lines = f"{request_line}\r\nHost: {host(world)}\r\n{headers}Content-Length: 0\r\n\r\n".replace("{key}", key)

    statuses, answer = sent(world, lines.encode())

    assert statuses == [403]
    assert f"x-amzn-errortype: {code}\r\n".encode() in answer


def test_a_refused_upload_in_chunks_stores_nothing(world):
    """The chunks of a refused upload are skipped, so that they are not taken for the next request on the connection."""
    smuggled = signed(world, "DELETE", f"/{BUCKET}/a%20b/%2B.mp4")
    head = f"PUT /{BUCKET}/chunked HTTP/1.1\r\nHost: {host(world)}\r\nTransfer-Encoding: Chunked\r\n\r\n".encode()
    body = f"{len(smuggled):x}\r\n".encode() + smuggled + b"\r\n0\r\n\r\n"

    statuses, _ = sent(world, head + body + signed(world))

    assert statuses == [403, 200]
    assert [one["Key"] for one in world.client("s3").list_objects_v2(Bucket=BUCKET)["Contents"]] == ["a b/+.mp4"]


def test_a_changed_request_is_refused(world):
    """The signature covers method, path, query, headers and body, so that one that was seen serves for nothing else."""
    request = signed(world, "PUT", f"/{BUCKET}/signed?tagging=", body=b"<Tagging/>")
    changed = [
        request.replace(b"PUT /", b"DELETE /"),
        request.replace(b"/signed?", b"/other?"),
        request.replace(b"?tagging=", b"?acl="),
        request.replace(b"<Tagging/>", b"<tagging/>"),
        request.replace(b"Signature=", b"Signature=0"),
    ]

    refused = [sent(world, each)[0] for each in changed]

    assert refused == [[403]] * 5


@pytest.mark.parametrize("signature_version", ["s3v4", "s3", None])
def test_a_presigned_url_opens_what_it_names(world, client, signature_version):
    """A signature in the query, SigV4 or the older form, of a user or a role, opens that object and nothing else."""
    config = {"signature_version": signature_version} if signature_version else {}
    for keys in (world.keys.user, world.keys.session(ROLE, "edit")):
        s3 = client("s3", keys.access_key, keys.secret_key, keys.session_token, **config)
        url = urlsplit(s3.generate_presigned_url("get_object", Params={"Bucket": BUCKET, "Key": "a b/+.mp4"}))
        lines = f"GET {url.path}?{url.query} HTTP/1.1\r\nHost: {url.netloc}\r\n\r\n"

        opened = sent(world, lines.encode())
        refused = [
            sent(world, changed.encode())[0]
            for changed in (
                lines.replace("GET", "DELETE"),
                lines.replace(".mp4?", ".mp3?"),
                lines.replace(keys.access_key, "AKIAIOSFODNN7EXAMPLE"),
                lines.replace(".mp4?", f".mp4?X-Amz-Credential={quote(keys.access_key)}&X-Amz-Credential=x&"),
                lines.replace("Host", "Origin: null\r\nHost"),
            )
        ]

        assert opened[0] == [200]
        assert opened[1].endswith(b"film")
        assert refused == [[403]] * 5


@pytest.mark.parametrize("key", ["a b/+.mp4", "two\nlines", "ü/🎬.mp4", "a//b/../c", "100%25 'raw' (1)*~.mp4", "a?b&c=d#e"])
def test_signatures_of_odd_keys_hold(world, key):
    """What boto3 signs is what is checked, however a key has to be encoded."""
    s3 = world.client("s3")

    s3.put_object(Bucket=BUCKET, Key=key, Body=b"x", Tagging="a=b", Metadata={"under_score": "a   b"})
    found = s3.list_objects_v2(Bucket=BUCKET, Prefix=key)["Contents"]
    if key != "a b/+.mp4":
        s3.delete_object(Bucket=BUCKET, Key=key)
    else:
        s3.put_object(Bucket=BUCKET, Key=key, Body=b"film")

    assert [one["Key"] for one in found] == [key]


def test_a_key_that_the_api_made_is_known(world, client):
    """CreateAccessKey and AssumeRole hand out keys that work until they are taken back, each with its own principal."""
    iam = world.client("iam")
    iam.create_user(UserName="reviewer")
    made = iam.create_access_key(UserName="reviewer")["AccessKey"]
    assumed = world.client("sts").assume_role(RoleArn=ROLE, RoleSessionName="visit")["Credentials"]
    user = client("sts", made["AccessKeyId"], made["SecretAccessKey"])
    role = client("sts", assumed["AccessKeyId"], assumed["SecretAccessKey"], assumed["SessionToken"])

    identities = [user.get_caller_identity()["Arn"], role.get_caller_identity()["Arn"]]
    principals = [world.keys.find(key).principal.arn for key in (made["AccessKeyId"], assumed["AccessKeyId"])]
    iam.update_access_key(UserName="reviewer", AccessKeyId=made["AccessKeyId"], Status="Inactive")

    assert (
        identities == principals == [f"arn:aws:iam::{ACCOUNT}:user/reviewer", f"arn:aws:sts::{ACCOUNT}:assumed-role/editor/visit"]
    )
    with pytest.raises(ClientError, match="InvalidClientTokenId"):
        user.get_caller_identity()


def test_what_moto_keeps_for_itself_is_closed_to_the_user_too(world):
    """A signed request for /moto-api goes to S3, where it is a bucket like any other."""
    s3 = world.client("s3")
    s3.create_bucket(Bucket="moto-api")

    s3.put_object(Bucket="moto-api", Key="data.json", Body=b"{}")
    statuses, answer = sent(world, signed(world, "GET", "/moto-api/data.json"))

    assert (statuses, answer.rpartition(b"\r\n\r\n")[2]) == ([200], b"{}")


def test_the_ledger_knows_only_who_was_let_in(world, client):
    """The ledger names users and functions as principals, and lists no refused requests."""
    session = world.keys.session(ROLE, "edit")
    before = len(world.ledger.calls())

    client("sts", session.access_key, session.secret_key, session.session_token).get_caller_identity()
    world.client("sts").get_caller_identity()
    with pytest.raises(ClientError):
        client("sts", "AKIAIOSFODNN7EXAMPLE", "x").get_caller_identity()

    assert [call.principal for call in world.ledger.calls()[before:]] == ["edit", "tool"]


def test_an_ordered_fault_does_not_wait_for_a_stranger(world, client):
    """Ordered faults do not count requests that were refused."""
    world.faults.fail("sts", "GetCallerIdentity", status=503, code="ServiceUnavailable")
    stranger, user = client("sts", "AKIAIOSFODNN7EXAMPLE", "x"), world.client("sts", retries={"total_max_attempts": 1})

    with pytest.raises(ClientError, match="InvalidClientTokenId"):
        stranger.get_caller_identity()
    with pytest.raises(ClientError, match="ServiceUnavailable"):
        user.get_caller_identity()


def test_a_shells_own_session_token_does_no_harm(world):
    """The environment empties the token of another account, which would be sent along and refused."""
    program = "import boto3; print(boto3.client('sts').get_caller_identity()['Account'])"
    environment = {"AWS_SESSION_TOKEN": "another", **world.environment()}

    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False)

    assert (done.stdout, done.stderr) == (f"{ACCOUNT}\n", "")


def test_only_this_machine_reaches_the_port(world):
    """The server listens on the loopback's address and on no other."""
    listening = world._server._server.socket.getsockname()

    assert listening == ("127.0.0.1", urlsplit(world.endpoint).port)
