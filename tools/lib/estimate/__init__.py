"""The estimate of a scan before it is paid for: minutes of video, dollars and finishing time, each with an error bar.

In the order of their use: a `Sampler` is offered every listed object and draws a sample; `read_headers` reads the headers of it,
or of all objects; `Measurements` adds them up; `measured_speed` asks the table how fast earlier scans went; `estimate` puts it
together. `inspection` does all of it while a manifest is written.
"""
