// The values that the modules share. What Python makes: data.py and videos.py; what the desk's server answers: docs/desk.md.

type Player = import("./player.js").Player;

type Judgement = "confirmed" | "false-alarm" | "withdrawn";

interface Recorded {
  decision: Judgement;
  note: string;
  decided_by: string;
  decided_at: string;
}

interface Label {
  name: string;
  above: string[];
  category: number;
}

/** Number of the label, confidence in percent, milliseconds in all, first at (ms), and whether it counts. */
type Summary = [number, number, number, number, number];

interface Described {
  id: string;
  bucket: string;
  key: string;
  version?: string;
  looked_at?: string;
  etag?: string;
  size?: number;
  attempt: number;
  duration?: number;
  uploaded?: number;
  missed?: boolean;
  recorded?: Recorded | null;
  every?: number;
  decoded?: number;
  labels?: Summary[];
  segments?: number[];
  segments_left_out?: number;
  evidence?: [number, string][];
  reason?: string;
  message?: string;
  was?: string;
}

type State = "flagged" | "clean" | "failed" | "ineligible" | "superseded";

interface Video extends Described {
  state: State;
  counting: Summary[];
  top?: Label;
  title?: string;
  best?: number;
  seen?: number;
  weight?: number;
  name: string;
  prefix: string;
  searched: string;
}

interface Segment {
  label: number;
  start: number;
  end: number;
  confidence: number;
  from: number;
  to: number;
}

interface Frame {
  at: number;
  src: string;
  label?: string;
  confidence?: number;
}

/** What is decided about a video, and by a note alone nothing yet. */
interface Held {
  decision: Judgement | null;
  note: string;
  decided_at: string | null;
}

/** What a person does about one video: a decision with its note, or none where a decision is taken back. */
interface Change {
  video: Video;
  decision: "confirmed" | "false-alarm" | null;
  note: string;
}

/** What the list and the details need of decisions, kept in this browser or in the deployment's table. */
interface DecisionStore {
  kept: boolean;
  readonly unwritten: boolean;
  of(video: Video): Held;
  current(video: Video): Judgement | null;
  annotated(video: Video): boolean;
  decidedElsewhere(video: Video): void;
  noteWaits(video: Video): boolean;
  waiting(video: Video): boolean;
  write(changes: Change[]): Promise<Result[]>;
  annotate(video: Video, note: string): void;
}

interface Result {
  video: Video;
  outcome: "written" | "conflict" | "refused" | "unreachable";
  recorded?: Recorded | null;
  reason?: string;
  cure?: string;
}

interface Changes {
  number: number;
  labels?: Label[];
  flagged?: Described[];
  clean?: Described[];
  failed?: Described[];
  ineligible?: Described[];
  superseded?: Described[];
  gone?: string[];
  recorded?: Record<string, Recorded | null>;
  status?: string;
  objects?: number;
  expected?: number | null;
  adds_up?: boolean;
  states?: StateCount[];
  warnings?: string[];
  sample?: string[] | null;
  analysed_ms?: number;
  costs?: PageData["costs"];
  found?: PageData["found"];
  confidences?: PageData["confidences"];
  cures?: Record<string, string>;
  decided?: Record<string, number>;
}

interface StateCount {
  name: string;
  count: number;
}

interface ListedScan {
  id: string;
  bucket: string;
  day: string | null;
  status: string;
  created_at: number;
}

interface PageData {
  desk?: { scans: ListedScan[]; scan: string; decided_by: string; poll_s: number; number?: number };
  language: { code: string; decimal: string; sentences: Record<string, string>; labels: Record<string, string> };
  scan: { id: string; bucket: string; day: string | null; status: string; created_at: number; closed_at: number | null };
  made_at: number;
  region: string;
  console: string;
  objects: number;
  expected: number | null;
  adds_up: boolean;
  states: StateCount[];
  analysed_ms: number;
  costs: { total: string; parts: { what: string; amount: string; price: string }[] };
  categories: string[];
  found: { category: number; count: number; labels: [string, number][] }[];
  confidences: [number, number][];
  not_selected: string[];
  warnings: string[];
  flagged: Described[];
  clean: Described[];
  failed: Described[];
  ineligible: Described[];
  superseded: Described[];
  left_out: Record<string, number>;
  cures: Record<string, string>;
  decided_words: Record<string, Record<string, string>>;
  decided: Record<string, number>;
  sample: string[] | null;
  labels: Label[];
  everything: string;
  apply: string;
  decisions_file: string;
}
