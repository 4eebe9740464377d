"""The questions that Khiên asks a Linux host; they only read, and judge nothing."""
