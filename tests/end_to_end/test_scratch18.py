import gzip, hashlib, json, os, subprocess, sys, time, threading, resource
import http.server, urllib.request
import pytest
from tools.emulator.samples import tiny_clip
from tests.end_to_end.conftest import ROOT, BUCKET
pytestmark = pytest.mark.timeout(900)
def say(*a):
    with open('/tmp/b/scratch18c.out','a') as f: print(*a, file=f)

@pytest.fixture(scope="module")
def stage(stages):
    s = stages(speed=1.0)
    s.put("a.mp4", tiny_clip()); s.put("b c.mp4", tiny_clip("Weapons")); s.put("ü.mp4", tiny_clip())
    return s

def run(stage, *args, stdin=None, env=None, program="submit_job.py"):
    e = {"PATH": os.environ["PATH"], "PYTHONUTF8":"1","VIDEO_MODERATION_MANIFESTS": str(stage._directory/"manifests"), **stage.world.environment(), **(env or {})}
    p = subprocess.Popen([sys.executable, str(ROOT/"tools"/program), *args], env=e, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    out, err = p.communicate(stdin, timeout=300)
    return p.returncode, out.decode(errors='replace'), err.decode(errors='replace')

def tell(name, r):
    say("=====", name, "exit", r[0]); say(r[1][-4500:]); say("--stderr"); say(r[2][-2500:])

def inventory(stage, rows, schema, raw=None):
    work = stage.outputs["WorkBucketName"]
    body = raw if raw is not None else gzip.compress(rows)
    key = f"inv/data/{hashlib.md5(body).hexdigest()}.csv.gz"
    stage.s3.put_object(Bucket=work, Key=key, Body=body)
    m = {"sourceBucket": BUCKET, "destinationBucket": f"arn:aws:s3:::{work}", "version":"2016-11-30","creationTimestamp": str(int(time.time()*1000)), "fileFormat":"CSV","fileSchema":schema,"files":[{"key":key,"size":len(body),"MD5checksum":hashlib.md5(body).hexdigest()}]}
    stage.s3.put_object(Bucket=work, Key="inv/manifest.json", Body=json.dumps(m).encode())
    return f"s3://{work}/inv/manifest.json"

def test_inventory(stage):
    u = inventory(stage, b'"%s","a%%FF.mp4","100"\n' % BUCKET.encode(), "Bucket, Key, Size")
    tell("inv %FF", run(stage, "--inventory", u, "--dry-run", "--measure","none"))
    u = inventory(stage, b'"%s","a\xff.mp4","100"\n' % BUCKET.encode(), "Bucket, Key, Size")
    tell("inv raw FF", run(stage, "--inventory", u, "--dry-run", "--measure","none"))
    rows = b"".join(b'"%s","%s.mp4","1000","INTELLIGENT_TIERING","%s"\n' % (BUCKET.encode(), t.lower(), t) for t in (b"FREQUENT", b"INFREQUENT", b"ARCHIVE_INSTANT_ACCESS", b"ARCHIVE_ACCESS", b"DEEP_ARCHIVE_ACCESS", b"ARCHIVE", b"DEEP_ARCHIVE",b"ARCHIVE_INSTANT"))
    u = inventory(stage, rows, "Bucket, Key, Size, StorageClass, IntelligentTieringAccessTier")
    tell("inv tiers", run(stage, "--inventory", u, "--dry-run", "--measure","none"))
    rows = rows.replace(b',"FREQUENT"', b'').replace(b'\n',b'\n')
    rows = b'"%s","x.mp4","1000","INTELLIGENT_TIERING"\n' % BUCKET.encode()
    u = inventory(stage, rows, "Bucket, Key, Size, StorageClass")
    tell("inv no tier column", run(stage, "--inventory", u, "--dry-run", "--measure","none"))

def test_keys(stage, tmp_path):
    text = "a.mp4\nb c.mp4\n"
    for enc in ("utf-16-le","utf-16-be","utf-16","utf-8-sig","utf-32-le"):
        f = tmp_path/f"{enc}.txt"; f.write_bytes(text.encode(enc))
        tell("keys "+enc, run(stage,"--bucket",BUCKET,"--keys-from",str(f),"--dry-run","--measure","none"))
    for name, t in {"ls": "2026-11-01 12:00:00       1234 a.mp4\n2026-11-01 12:00:00       1234 b c.mp4\n",
        "ls human":"2026-11-01 12:00:00    1.2 MiB a.mp4\n", "ls pre":"                           PRE uploads/\n2026-11-01 12:00:00       1234 a.mp4\n",
        "uris": f"s3://{BUCKET}/a.mp4\n", "ls total":"a.mp4\n\nTotal Objects: 1\n   Total Size: 123\n",
        "api text":'CONTENTS\t"abc"\ta.mp4\t2026-11-01T12:00:00+00:00\t1234\tSTANDARD\n',
        "json":'{"Contents": [{"Key": "a.mp4"}]}\n', "https": f"https://{BUCKET}.s3.amazonaws.com/a.mp4\n",
        "arn": f"arn:aws:s3:::{BUCKET}/a.mp4\n"}.items():
        f = tmp_path/"k.txt"; f.write_text(t)
        tell("keys "+name, run(stage,"--bucket",BUCKET,"--keys-from",str(f),"--dry-run","--measure","none"))

class Proxy(http.server.BaseHTTPRequestHandler):
    target = None; count = 0; extra = b""
    def log_message(self,*a): pass
    def any(self):
        import http.client
        n = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(n) if n else None
        if "continuation-token" in self.path:
            type(self).count += 1
            data = self.cache
            self.send_response(200); self.send_header("Content-Type","application/xml"); self.send_header("Content-Length", str(len(data))); self.end_headers(); self.wfile.write(data); return
        c = http.client.HTTPConnection(self.target.replace("http://",""), timeout=60)
        c.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for k,v in self.headers.items(): c.putheader(k,v)
        c.endheaders(body)
        r = c.getresponse(); data = r.read()
        if "list-type=2" in self.path and r.status==200:
            type(self).count += 1
            data = data.replace(b"<IsTruncated>false</IsTruncated>", b"<IsTruncated>true</IsTruncated>" + type(self).extra)
            type(self).cache = data
        self.send_response(r.status)
        for k,v in r.headers.items():
            if k.lower() not in ("content-length","transfer-encoding","connection"): self.send_header(k,v)
        self.send_header("Content-Length", str(len(data))); self.end_headers()
        if self.command!="HEAD": self.wfile.write(data)
    do_GET=do_PUT=do_POST=do_HEAD=do_DELETE=any

def test_truncated(stage):
    env = stage.world.environment()
    say({k:v for k,v in env.items() if 'ENDPOINT' in k or 'PROXY' in k.upper()})
    Proxy.target = env["AWS_ENDPOINT_URL"]
    s = http.server.ThreadingHTTPServer(("127.0.0.1",0),Proxy); threading.Thread(target=s.serve_forever,daemon=True).start()
    p = f"http://127.0.0.1:{s.server_port}"
    for extra in (b"", b"<NextContinuationToken>same</NextContinuationToken>"):
      for args in (["--bucket",BUCKET,"--dry-run","--measure","none"],):
        Proxy.extra = extra; Proxy.count = 0
        e={"HTTP_PROXY":p,"http_proxy":p,"NO_PROXY":"","no_proxy":""}
        tell(f"truncated {extra}", run(stage,*args, env=e))
        say("pages", Proxy.count); Proxy.count = 0
        tell(f"coverage truncated {extra}", run(stage,"coverage",BUCKET, env=e, program="control_scan.py"))
        say("pages", Proxy.count)
    s.shutdown()

def bomb(n=1_500_000_000, line=b"a"):
    import zlib
    c = zlib.compressobj(9, zlib.DEFLATED, 31); out=[]
    block = line*(1<<20)
    for _ in range(n//len(block)): out.append(c.compress(block))
    out.append(c.flush()); return b"".join(out)

def test_bomb(stage, tmp_path):
    b = bomb(300_000_000)
    say("bomb bytes", len(b))
    def timed(*args):
        e = {"PATH": os.environ["PATH"], "PYTHONUTF8":"1","VIDEO_MODERATION_MANIFESTS": str(stage._directory/"manifests"), **stage.world.environment()}
        p = subprocess.Popen([sys.executable, str(ROOT/"tools"/"submit_job.py"), *args], env=e, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        t=threading.Thread(target=lambda: None)
        out=[b'',b'']
        o = threading.Thread(target=lambda: out.__setitem__(0,p.stdout.read())); o.start()
        r = threading.Thread(target=lambda: out.__setitem__(1,p.stderr.read())); r.start()
        _, status, ru = os.wait4(p.pid,0)
        o.join(); r.join()
        say("exit", os.waitstatus_to_exitcode(status), "maxrss MB", ru.ru_maxrss//1024, "cpu", ru.ru_utime); say(out[1].decode()[-800:])
    u = inventory(stage, None, "Bucket, Key, Size", raw=b)
    say("== inventory bomb"); timed("--inventory",u,"--dry-run","--measure","none")
    f = tmp_path/"k.txt"
    with f.open("wb") as o: o.seek(800_000_000); o.write(b"a\n")
    say("== keys of one line of NULs"); timed("--bucket",BUCKET,"--keys-from",str(f),"--dry-run","--measure","none")
    with f.open("wb") as o:
        for _ in range(300): o.write(b"a"*1_000_000)
    say("== keys of one line"); timed("--bucket",BUCKET,"--keys-from",str(f),"--dry-run","--measure","none")
    say("== manifest of one line"); timed("--manifest",str(f),"--dry-run","--measure","none")
    say("== plan of one line"); timed("--run-plan",str(f),"--yes")
    say("== keys gz"); g=tmp_path/"k.gz"; g.write_bytes(gzip.compress(b"a.mp4\n")); timed("--bucket",BUCKET,"--keys-from",str(g),"--dry-run","--measure","none")

def test_payer(stage):
    stage.s3.put_bucket_request_payment(Bucket=BUCKET, RequestPaymentConfiguration={"Payer":"Requester"})
    tell("payer check", run(stage,"--bucket",BUCKET,"--check"))
    tell("payer dry", run(stage,"--bucket",BUCKET,"--dry-run","--measure","none"))

def test_partition(stages, monkeypatch):
    import tests.end_to_end.conftest as c
    from tools.emulator.world import World
    real = World.client
    def client(self, name, *a, **k):
        cl = real(self, name, *a, **k)
        if name == "s3":
            old = cl.create_bucket
            cl.create_bucket = lambda **kw: old(**kw, CreateBucketConfiguration={"LocationConstraint":"us-gov-west-1"})
        return cl
    monkeypatch.setattr(World, "client", client)
    s = stages(speed=20.0, region="us-gov-west-1")
    s.put("a.mp4", tiny_clip("Weapons"))
    i = s.scan("a.mp4")
    s.until(lambda: s.flagged_mails(), "mail")
    say(s.flagged_mails()[0].get_content())
    tell("check", run(s,"--bucket",BUCKET,"--check"))
