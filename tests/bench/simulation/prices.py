"""What a design costs beside Rekognition, in dollars of us-east-1 (docs/aws.md#11-prices).

Left out are logs, and what an empty deployment costs.
"""

GB_SECOND = {"arm": 0.0000133334, "x86": 0.0000166667}
INVOCATION = 0.20 / 1e6
BATCH_JOB, BATCH_OBJECT = 0.25, 1.00 / 1e6
READ_UNIT, WRITE_UNIT = 0.125 / 1e6, 0.625 / 1e6
SQS_REQUEST = 0.40 / 1e6
PUBLISH = 0.50 / 1e6
S3_READ, S3_WRITE = 0.0004 / 1e3, 0.005 / 1e3
_S3 = {"s3.HeadObject": S3_READ, "s3.GetObject": S3_READ, "s3.PutObject": S3_WRITE}


def dollars(lab, *, processor):
    """Return what a simulation cost: functions, their calls, the table's units, batch jobs, notices."""
    bills = lab.runtime.bills.values()
    polled = 2 * sum(lab.runtime.bills[name].invocations for name in lab.polled)  # received and deleted by Lambda
    return sum(
        (
            sum(bill.gb_seconds for bill in bills) * GB_SECOND[processor],
            sum(bill.invocations for bill in bills) * INVOCATION,
            lab.batch_jobs * BATCH_JOB + lab.batch_tasks * BATCH_OBJECT,
            lab.tables.read * READ_UNIT + _written(lab) * WRITE_UNIT,
            (polled + _calls(lab, "sqs.")) * SQS_REQUEST,
            (len(lab.timeline.video) + _calls(lab, "sns.")) * PUBLISH,
            sum(_calls(lab, name) * price for name, price in _S3.items()),
        )
    )


def _written(lab):
    """Return the write units; a design without a table of the emulator's writes one unit at a time."""
    return lab.tables.written or _calls(lab, "dynamodb.")


def _calls(lab, prefix):
    return sum(count for name, count in lab.runtime.calls.items() if name.startswith(prefix))
