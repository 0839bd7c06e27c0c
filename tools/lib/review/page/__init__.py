"""The HTML page of a review: one file that opens from disk, shows what must be looked at, and takes decisions.

Data, then document: `page_data` makes JSON values of a review, `render` puts them, escaped, into a page with style and script.
"""

from tools.lib.review.page.data import PageData, page_data
from tools.lib.review.page.document import document, render, served_policy, size_of
from tools.lib.review.page.labels import LabelTable

__all__ = ["LabelTable", "PageData", "document", "page_data", "render", "served_policy", "size_of"]
