-- The objects that Envoy Gateway 1.9.0 gives to a script in place of Envoy's when it checks the script. What they answer
-- decides which way a script takes, so the answers are the same. The result is the handle.
local LOGS = {"logTrace", "logDebug", "logInfo", "logWarn", "logErr", "logCritical"}

-- An object with methods that log, and with methods that always answer the same.
local function object(answers)
  local made = {}
  for _, name in ipairs(LOGS) do
    made[name] = function(_, message)
      local _ = "[LOG]: " .. message
    end
  end
  for name, answer in pairs(answers) do
    made[name] = function()
      return answer
    end
  end
  return made
end

local function nothing() end

-- An object with two values of its own, that takes other keys from them.
local function with_values(answers)
  local made = object(answers)
  made.data = {key1 = "value1", key2 = "value2"}
  return setmetatable(made, {
    __index = function(self, key)
      return self.data[key]
    end,
  })
end

local function list(text)
  local made = {}
  for at = 1, 1000 do
    made[at] = text
  end
  return made
end

local ssl = object {
  peerCertificatePresented = true,
  peerCertificateValidated = false,
  uriSanLocalCertificate = list("san"),
  sha256PeerCertificateDigest = "abcdef1234567890",
  serialNumberPeerCertificate = "123456789",
  issuerPeerCertificate = "CN=Mock Issuer, O=Example Org",
  subjectPeerCertificate = "CN=Mock Subject, O=Example Org",
  parsedSubjectPeerCertificate = {
    commonName = function() return "Mock Subject" end,
    organizationName = function() return "Example Org" end,
  },
  uriSanPeerCertificate = {"uri1", "uri2"},
  subjectLocalCertificate = "CN=Local Cert, O=Example Org",
  urlEncodedPemEncodedPeerCertificate = "PEM_ENCODED_PEER_CERT",
  urlEncodedPemEncodedPeerCertificateChain = "PEM_ENCODED_CERT_CHAIN",
  dnsSansPeerCertificate = list("example.com"),
  dnsSansLocalCertificate = list("local.com"),
  oidsPeerCertificate = list("1.2.840.113549.1.1.1"),
  oidsLocalCertificate = list("1.2.840.113549.1.1.1"),
  validFromPeerCertificate = 1672531200,
  expirationPeerCertificate = 2724608000,
  sessionId = "abcdef1234567890abcdef1234567890",
  ciphersuiteId = "0x1301",
  ciphersuiteString = "TLS_AES_128_GCM_SHA256",
  tlsVersion = "TLSv1.3",
}

local dynamic_metadata = with_values {get = "get_result"}
dynamic_metadata.set = nothing
local metadata = with_values {get = "get_example"}

local headers = with_values {
  get = "example_value",
  getAtIndex = "example_value",
  getNumValues = 1,
  getHttp1ReasonPhrase = "reason",
}
headers.add, headers.remove, headers.replace = nothing, nothing, nothing
headers.setHttp1ReasonPhrase = nothing

local buffer = object {length = 10, getBytes = "example_bytes"}
buffer.setBytes = nothing

local handle = object {
  headers = headers,
  trailers = headers,
  body = buffer,
  metadata = metadata,
  filterContext = metadata,
  connection = object {ssl = ssl},
  connectionStreamInfo = object {dynamicMetadata = dynamic_metadata},
  streamInfo = object {
    protocol = "HTTP/2",
    routeName = "example-route",
    virtualClusterName = "example-virtual-cluster",
    downstreamDirectLocalAddress = "127.0.0.1:8080",
    downstreamLocalAddress = "192.168.1.100:8080",
    downstreamDirectRemoteAddress = "192.168.1.50:5050",
    downstreamRemoteAddress = "10.0.0.1:5050",
    dynamicMetadata = dynamic_metadata,
    downstreamSslConnection = ssl,
    requestedServerName = "example-server",
  },
  importPublicKey = "mocked_public_key",
  timestamp = 1672531200000,
  timestampString = "2023-01-01T00:00:00Z",
}
handle.setUpstreamOverrideHost = nothing

function handle:bodyChunks()
  local at = 0
  return function()
    at = at + 1
    if at <= 3 then
      return buffer
    end
  end
end

function handle:httpCall(cluster, sent, body)
  self:logInfo("" .. cluster)
  return sent, body
end

function handle:respond(sent)
  self:logInfo("" .. sent[":status"])
end

function handle:verifySignature()
  return true, ""
end

function handle:base64Escape(text)
  return text
end

return handle
