"""The migrations. A file that was released is never changed."""
