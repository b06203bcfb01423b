-- Bare requests to one host after the other: COUNT, then as many names as FIRST00000.REST makes.
dofile(debug.getinfo(1, "S").source:match("^@(.*/)") .. "result.lua")
local requests = {}
local number = 0

function init(arguments)
  for index = 0, tonumber(arguments[1]) - 1 do
    requests[index + 1] = wrk.format(nil, nil, { Host = string.format(arguments[2], index) })
  end
end

function request()
  number = number % #requests + 1
  return requests[number]
end
