-- Sends one body again and again, and writes what came of it as JSON.
wrk.method = os.getenv("METHOD") or "POST"
wrk.headers["Content-Type"] = "application/json"
local file = io.open(os.getenv("BODY"), "rb")
if file then
  wrk.body = file:read("*a")
  file:close()
end

function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format(
    '{"requests":%d,"seconds":%f,"p50":%f,"p99":%f,"p999":%f,"failed":%d,"refused":%d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50.0), latency:percentile(99.0),
    latency:percentile(99.9), errors.connect + errors.read + errors.write + errors.timeout,
    errors.status))
end
