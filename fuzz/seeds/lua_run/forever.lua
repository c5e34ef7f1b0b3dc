function envoy_on_request(h) while true do local ok = pcall(function() error({}) end) end end
