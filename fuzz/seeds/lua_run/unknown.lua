function envoy_on_request(h) local m = h:metadata():get("a") h:httpCall("c", {}, "", 5) end
