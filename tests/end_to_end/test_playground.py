"""`rehearse.py --serve`: a user types the programs in another shell until Ctrl-C, and goes on the next day."""

import json
import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BUCKET = "amzn-s3-demo-bucket"
pytestmark = pytest.mark.timeout(300)
# What a shell may be set up for: another account, another emulator, a proxy.
ELSEWHERE = {
    "AWS_PROFILE": "missing",
    "AWS_DEFAULT_PROFILE": "missing",
    "AWS_CONFIG_FILE": "/missing",
    "AWS_ENDPOINT_URL_S3": "http://localhost:9",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true",
    "AWS_USE_FIPS_ENDPOINT": "true",
    "AWS_SESSION_TOKEN": "of another account",
    "http_proxy": "http://localhost:9",
    "no_proxy": "example.com",
}


@pytest.fixture(scope="module", name="output")
def _output(tmp_path_factory):
    """Return a folder for the playground."""
    return tmp_path_factory.mktemp("playground") / "out put"


def environment(**more):
    """Return the variables of a shell, and more."""
    return {"PATH": os.environ["PATH"], "HOME": "/missing", "PYTHONUTF8": "1", **more}


def command(output, *options):
    """Return the command that serves a playground."""
    return [sys.executable, str(ROOT / "tools" / "rehearse.py"), "--serve", "--output", str(output), *options]


@contextmanager
def served(output, *options, end=signal.SIGINT):
    """Serve a playground; yield its process and the lines for the shell, then end it as Ctrl-C does."""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "encoding": "utf-8"}
    with subprocess.Popen(command(output, *options), env=environment(**ELSEWHERE), start_new_session=True, **pipes) as process:
        try:
            talk = ""
            while "Press Ctrl-C" not in talk:
                line = process.stderr.readline()
                assert line, talk
                talk += line
            yield process
            os.killpg(process.pid, end)  # the terminal sends it to the functions too
            process.rest_out, process.rest = process.communicate(timeout=60)
        finally:
            process.kill()


def type_in(output, line, *, codes=(0,)):
    """Type a line into a shell that was led to the playground, and return what it writes."""
    script = f". '{output}/world/environment.sh'\n{line.replace('python ', f'{sys.executable} ')}"
    typed = subprocess.run(
        ["sh", "-c", script],
        env=environment(**ELSEWHERE),
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    assert typed.returncode in codes, typed.stderr
    return typed.stdout


def with_boto3(code):
    """Return a line for `type_in` that runs code of the user's own."""
    return f'python -c "import boto3; {code}"'


def test_a_scan_by_hand_and_the_day_after(output):
    """Programs and SDK reach the world whatever the shell was set up for; Ctrl-C ends it with 0, and --keep goes on with it."""
    with served(output, "--keep") as first:
        type_in(output, f"python tools/submit_job.py --bucket {BUCKET} --yes --wait --json", codes=(3,))
        status = json.loads(type_in(output, "python tools/control_scan.py status --json"))
        review = json.loads(type_in(output, "python tools/review_report.py --json", codes=(0, 3)))
        type_in(output, with_boto3("boto3.client('s3').create_bucket(Bucket='amzn-s3-demo-bucket2')"))

    with served(output, "--keep", end=signal.SIGTERM) as second:
        again = json.loads(type_in(output, "python tools/review_report.py --json", codes=(0, 3)))
        buckets = type_in(output, with_boto3("print(boto3.client('s3').list_buckets()['Buckets'])"))

    assert (0, 0) == (first.returncode, second.returncode)
    assert "Traceback" not in first.rest + second.rest
    assert "Mail: Flagged: " in first.rest
    assert status["status"] == "closed"
    assert review["states"]["flagged"] == 5
    assert again == review
    assert "amzn-s3-demo-bucket2" in buckets
    assert first.rest_out == second.rest_out  # a shell that was led to the first goes on with the second


def test_a_state_is_not_lost_by_starting_anew(output):
    """Without --keep a kept state is neither replaced nor passed over: the message names the ways on."""
    done = subprocess.run(command(output), env=environment(), capture_output=True, encoding="utf-8", timeout=60, check=False)

    assert (1, True) == (done.returncode, (output / "playground.state").exists())
    assert "--keep" in done.stderr


def test_a_state_that_cannot_be_read(tmp_path):
    """A file that is not a state is a sentence with a cure, and it stays."""
    (tmp_path / "out").mkdir()
    state = tmp_path / "out" / "playground.state"
    state.write_bytes(b"other")

    done = subprocess.run(
        command(state.parent, "--keep"), env=environment(), capture_output=True, encoding="utf-8", timeout=60, check=False
    )

    assert (1, b"other") == (done.returncode, state.read_bytes())
    assert "Start anew: rm" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_users_own_programs(tmp_path):
    """The SDK, as in the AWS CLI, copies and lists objects; S3 Batch Operations answers it in spite of the account in the host."""
    (tmp_path / "videos").mkdir()
    (tmp_path / "videos" / "mine.mp4").write_bytes(b"x")

    with served(tmp_path / "out", str(tmp_path / "videos")) as playground:
        type_in(tmp_path / "out", with_boto3(f"boto3.client('s3').upload_file('README.md', '{BUCKET}', 'new.mp4')"))
        listed = f"boto3.client('s3').list_objects_v2(Bucket='{BUCKET}')['Contents']"
        keys = type_in(tmp_path / "out", with_boto3(f"print(*(each['Key'] for each in {listed}))"))
        jobs = type_in(tmp_path / "out", with_boto3("print(boto3.client('s3control').list_jobs(AccountId='111122223333')['Jobs'])"))

    assert playground.returncode == 0
    assert keys.split() == ["mine.mp4", "new.mp4"]
    assert jobs.strip() == "[]"
