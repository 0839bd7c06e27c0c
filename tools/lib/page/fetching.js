// The ways to the object itself: its URI, its page in the console, and a command line that may be pasted into a shell unread.

/** Returns a word as a POSIX shell reads it back. */
function shellWord(text) {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'"'"'`)}'`;
}

/** Returns JSON in printable ASCII: a terminal acts upon a control character even within quotes. */
function asciiJson(value) {
  return JSON.stringify(value).replace(/[^ -~]/g, escaped);
}

/** Returns under which name to store an object: the last part of its key, without what a file system or a shell could mind. */
function fileName(key) {
  const last = key.split("/").filter((part) => part !== "").at(-1) ?? "";
  const plain = last.replace(/[^A-Za-z0-9._-]+/g, "_").slice(-80).replace(/^[._-]+/, "");
  return plain === "" ? "video" : plain;
}

/** Returns the version to fetch: the one that was asked for, else the one that was looked at. */
function versionOf(video) {
  return video.version ?? video.looked_at ?? null;
}

/** Returns the AWS CLI's command line that fetches a video. */
function fetchCommand(video, region) {
  const file = fileName(video.key);
  const version = versionOf(video);
  if (needsJson(video, version)) {
    const input = { Bucket: video.bucket, Key: video.key, ...(version === null ? {} : { VersionId: version }) };
    return commandLine("s3api", "get-object", "--cli-input-json", asciiJson(input), "--region", region, file);
  }
  if (version !== null) {
    const words = ["--bucket", video.bucket, "--key", video.key, "--version-id", version];
    return commandLine("s3api", "get-object", ...words, "--region", region, file);
  }
  return commandLine("s3", "cp", uriOf(video), file, "--region", region);
}

// The CLI takes a value that begins with a hyphen for an option, reads files and addresses itself (`file://`), and `s3 cp` takes
// a key that ends with a slash for a folder; what is hidden could not be pasted.
function needsJson(video, version) {
  return [video.key, version ?? ""].some((text) => HIDDEN.test(text) || /^-|^[A-Za-z]+:\/\/|\/$/.test(text));
}

function commandLine(...words) {
  return ["aws", ...words].map(shellWord).join(" ");
}

/** Returns the s3 URI, which has no place for a version. */
function uriOf(video) {
  return `s3://${video.bucket}/${video.key}`;
}

/** Returns the object's page in the AWS console. */
function consoleLink(video, site, region) {
  const version = versionOf(video);
  const query = [`region=${quoted(region)}`, `prefix=${quoted(video.key)}`, ...(version === null ? [] : [`versionId=${quoted(version)}`])];
  return `${site}/s3/object/${quoted(video.bucket)}?${query.join("&")}`;
}

// S3 has no unpaired surrogates; should one come all the same, it must not stop the page.
function quoted(text) {
  return encodeURIComponent(text.replace(/\p{Cs}/gu, "\ufffd")).replaceAll("%2F", "/");
}
