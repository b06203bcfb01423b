-- The least a request can say: its Host. Built once.
dofile(debug.getinfo(1, "S").source:match("^@(.*/)") .. "result.lua")

function init(arguments)
  wrk.headers["Host"] = arguments[1]
end
