function envoy_on_request(handle)
  local s = string.rep("a", 10) .. string.format("%5.2f %q %s", 1.5, "x", true)
  local t = {}
  for word in s:gmatch("%a+") do table.insert(t, 1, word:upper()) end
  table.sort(t, function(a, b) return a > b end)
  handle:headers():add("x-words", table.concat(t, ","))
  handle:headers():replace("x-n", tonumber("0x10") + #t)
  handle:headers():remove("user-agent")
  handle:logInfo(handle:base64Escape(s:gsub("a", "b")))
  for name, value in pairs(handle:headers()) do t[name] = value end
  return select("#", pcall(error, "x"))
end
