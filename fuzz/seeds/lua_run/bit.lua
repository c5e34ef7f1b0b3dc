function envoy_on_request(h) local x = bit.band(bit.lshift(1, 31), 0xff) h:respond({[":status"] = x}, tostring(bit.tohex(x))) end
