-- Sends the requests of a file in turn, one body a line, all of one type; without a file, GETs.
local requests, at = {}, 0
function init(args)
  if args[1] then
    for line in io.lines(args[1]) do
      requests[#requests + 1] = wrk.format("POST", wrk.path,
        { ["Content-Type"] = args[2] }, line)
    end
  end
end
function request()
  if #requests == 0 then return wrk.format("GET", wrk.path) end
  at = at % #requests + 1
  return requests[at]
end
