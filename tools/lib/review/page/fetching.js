// How to get the object itself: its URI, its page in the console, and a command line that is safe to paste into a shell.

import { HIDDEN } from "./characters.js";

const SAFE = /^[\w@%+=:,./-]+$/;
const BYTES = new TextEncoder();

/** Returns a word quoted for bash and zsh, in visible characters only: a terminal interprets others even within quotes. */
function shellWord(value) {
  if (SAFE.test(value)) return value;
  if (!HIDDEN.test(value)) return `'${value.replaceAll("'", `'"'"'`)}'`;
  const plain = (byte) => (/[\w ./-]/.test(String.fromCharCode(byte)) ? String.fromCharCode(byte) : `\\${byte.toString(8).padStart(3, "0")}`);
  return `$'${[...BYTES.encode(value)].map(plain).join("")}'`;
}

/** Returns a file name for an object: the last part of its key, without characters that trouble a file system or a shell. */
function fileName(key) {
  const last = key.split("/").filter((part) => part !== "").at(-1) ?? "";
  const plain = last.replace(/[^A-Za-z0-9._-]+/g, "_").slice(-80).replace(/^[._-]+/, "");
  if (plain === "") return "video";
  // Of a name in another script, only the ending may be left.
  return last.endsWith(`.${plain}`) ? `video.${plain}` : plain;
}

/** Returns the version to fetch: the one in the manifest, else the one that was analysed. */
export function versionOf(video) {
  return video.version ?? video.looked_at ?? null;
}

/** Returns the AWS CLI's command line that fetches a video, or null where there is none that does. */
export function fetchCommand(video, region) {
  const { bucket, key } = video;
  const version = versionOf(video);
  const [file, where] = [shellWord(fileName(key)), `--region=${shellWord(region)}`];
  // No command line can hold a zero.
  if (key.includes("\0")) return null;
  // `s3 cp` knows no versions, and takes a key that ends with a slash for a folder.
  if (version === null && !key.endsWith("/")) return `aws s3 cp ${shellWord(uriOf(video))} ${file} ${where}`;
  // The CLI replaces such a value with what it reads at that address (AWS CLI user guide, "load parameters from a file").
  if (/^(fileb?|https?):\/\//.test(key)) return null;
  // The equals sign, because a value that begins with a hyphen would be an option.
  const options = [`--bucket=${shellWord(bucket)}`, `--key=${shellWord(key)}`];
  if (version !== null) options.push(`--version-id=${shellWord(version)}`);
  return `aws s3api get-object ${options.join(" ")} ${where} ${file}`;
}

/** Returns the s3 URI, which has no place for a version. */
export function uriOf(video) {
  return `s3://${video.bucket}/${video.key}`;
}

/** Returns the object's page in the AWS console. */
export function consoleLink(video, site, region) {
  const version = versionOf(video);
  const query = [`region=${quoted(region)}`, `prefix=${quoted(video.key)}`, ...(version === null ? [] : [`versionId=${quoted(version)}`])];
  return `${site}/s3/object/${quoted(video.bucket)}?${query.join("&")}`;
}

// Keys in S3 have no unpaired surrogates; one that comes all the same must not stop the page.
function quoted(value) {
  return encodeURIComponent(value.replace(/\p{Cs}/gu, "\ufffd")).replaceAll("%2F", "/");
}
