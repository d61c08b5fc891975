"""Files and folders that come and go safely: whole or not there, and never larger than expected."""
