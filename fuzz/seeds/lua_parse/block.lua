-- a comment
local agents = { ["bot"] = true, 'x', [[long
text]] }
function envoy_on_request(handle)
  local agent = handle:headers():get("user-agent") or ""
  for name, _ in pairs(agents) do
    if string.find(agent, name, 1, true) then
      handle:respond({ [":status"] = "403" }, "no")
      return
    end
  end
  goto done
  ::done::
end
