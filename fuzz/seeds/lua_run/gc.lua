function envoy_on_request(h) setmetatable({}, {__gc = function() while true do end end}) local t = {} for i = 1, 1e6 do t[i] = {} end end
