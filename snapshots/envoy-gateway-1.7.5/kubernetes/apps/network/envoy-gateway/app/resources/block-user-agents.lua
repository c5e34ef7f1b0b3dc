-- Answers requests whose user agent holds one of these texts, without asking a backend.
local blocked = {
  "GPTBot",
}

function envoy_on_request(request_handle)
  local user_agent = request_handle:headers():get("user-agent") or ""
  for _, text in ipairs(blocked) do
    -- The fourth argument: the text is compared as it is, not as a pattern.
    if string.find(user_agent, text, 1, true) then
      request_handle:respond({ [":status"] = "403" }, "")
      return
    end
  end
end
