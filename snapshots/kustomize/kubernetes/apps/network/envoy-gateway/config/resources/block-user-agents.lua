-- Responds to requests whose user agent contains one of these texts, without forwarding them to a backend.
local blocked = {
  "GPTBot",
}

function envoy_on_request(request_handle)
  local user_agent = request_handle:headers():get("user-agent") or ""
  for _, text in ipairs(blocked) do
    -- The fourth argument disables patterns, so that the text is compared literally.
    if string.find(user_agent, text, 1, true) then
      request_handle:respond({ [":status"] = "403" }, "")
      return
    end
  end
end
