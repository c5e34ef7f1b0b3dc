if a then x = = 1 `é` "abc
