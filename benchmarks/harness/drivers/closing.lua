-- A bare request that asks for the end of its connection: each needs a new one.
dofile(debug.getinfo(1, "S").source:match("^@(.*/)") .. "result.lua")

function init(arguments)
  wrk.headers["Host"] = arguments[1]
  wrk.headers["Connection"] = "close"
end
