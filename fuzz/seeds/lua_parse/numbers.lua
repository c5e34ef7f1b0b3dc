x = 0xffULL + 1e3 - 3i .. "\\x41\\z  b" // 2
y = -2 ^ 3 ^ not #x
