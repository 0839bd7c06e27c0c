"""The estimate of a scan before it is paid for: minutes of video, dollars and finishing time, each with an error bar."""
