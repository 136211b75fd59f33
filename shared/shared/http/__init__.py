"""What every HTTP edge shares: problems, request ids, keys, and calls to channels-api."""
