-- Replacements for some of Lua 5.2's functions. They behave as in LuaJIT with LUAJIT_ENABLE_LUA52COMPAT. A function is
-- replaced if Lua's own could loop for long without being counted, if LuaJIT's behaves differently, or if the result
-- would not be the same in every run. Lists are moved and compared by Lua instructions here, because those are
-- counted.

local native = ...
local error, next, pairs, ipairs, pcall, xpcall = error, next, pairs, ipairs, pcall, xpcall
local rawequal, rawget, rawlen, rawset = rawequal, rawget, rawlen, rawset
local select, setmetatable, type = select, setmetatable, type
local format, tonumber, tostring, unpack = string.format, tonumber, tostring, table.unpack
local floor, log = math.floor, math.log

-- Errors. An error that stops the script can't be caught by it, and doesn't reach its handlers.

local function left(...)
    native.leave(...)
    return ...
end

function _G.pcall(...)
    native.enter()
    return left(pcall(...))
end

function _G.xpcall(call, handler, ...)
    native.enter()
    return left(xpcall(call, function(why)
        if native.is_ended() then return why end
        return handler(why)
    end, ...))
end

-- Tables.

local function a_table(value, name)
    if type(value) ~= 'table' then
        error(format("bad argument #1 to '%s' (table expected, got %s)", name, type(value)), 3)
    end
end

local function a_number(value, name, at)
    local number = native.number(value)
    if not number then
        error(format("bad argument #%d to '%s' (number expected, got %s)", at, name, type(value)), 3)
    end
    return number
end

-- Lua 5.2 calls `__gc`, LuaJIT doesn't. Lua looks for it only here, when the metatable is set.
function _G.setmetatable(value, meta)
    if type(meta) ~= 'table' then return setmetatable(value, meta) end
    local gc = rawget(meta, '__gc')
    if gc == nil then return setmetatable(value, meta) end
    rawset(meta, '__gc', nil)
    local fine, why = pcall(setmetatable, value, meta)
    rawset(meta, '__gc', gc)
    if not fine then error(why, 2) end
    return value
end

-- The order is always the same: numbers, strings, everything else.
function _G.pairs(value)
    if type(value) ~= 'table' or native.has(value, '__pairs') then return pairs(value) end
    local keys, at = native.keys(value), 0
    return function(value)
        while true do
            at = at + 1
            local key = keys[at]
            if key == nil then return nil end
            local found = rawget(value, key)
            if found ~= nil then return key, found end
        end
    end, value, nil
end

-- The same order; the list of keys is kept for the next call.
local walked, keys, at

function _G.next(value, key)
    if type(value) ~= 'table' then return next(value, key) end
    if key == nil then
        walked, keys, at = value, native.keys(value), 0
    elseif not rawequal(walked, value) or not rawequal(keys[at], key) then
        walked, keys, at = value, native.keys(value), 1
        while keys[at] ~= nil and not rawequal(keys[at], key) do at = at + 1 end
        if keys[at] == nil then return next(value, key) end
    end
    while true do
        at = at + 1
        local following = keys[at]
        if following == nil then return nil end
        local found = rawget(value, following)
        if found ~= nil then return following, found end
    end
end

function table.insert(list, ...)
    a_table(list, 'insert')
    local count, last = select('#', ...), rawlen(list) + 1
    if count == 1 then
        rawset(list, last, (...))
        return
    end
    if count ~= 2 then error("wrong number of arguments to 'insert'", 2) end
    local at, value = ...
    at = a_number(at, 'insert', 2)
    for place = last, at + 1, -1 do rawset(list, place, rawget(list, place - 1)) end
    rawset(list, at, value)
end

function table.remove(list, at)
    a_table(list, 'remove')
    local last = #list
    if at == nil then
        if last == 0 then return end
        local old = list[last]
        list[last] = nil
        return old
    end
    at = a_number(at, 'remove', 2)
    if at < 1 or at > last then return end
    local old = list[at]
    for place = at + 1, last do list[place - 1] = list[place] end
    list[last] = nil
    return old
end

function table.move(list, from, to, at, other)
    a_table(list, 'move')
    from, to, at = a_number(from, 'move', 2), a_number(to, 'move', 3), a_number(at, 'move', 4)
    other = other or list
    if at > from and at <= to and other == list then
        for place = to - from, 0, -1 do other[at + place] = list[from + place] end
    else
        for place = 0, to - from do other[at + place] = list[from + place] end
    end
    return other
end

function table.concat(list, between, from, to)
    a_table(list, 'concat')
    return native.concat(list, between, from, to)
end

-- The algorithm of Lua 5.1, with the same comparisons.
function table.sort(list, less)
    a_table(list, 'sort')
    if less == nil then
        less = function(a, b) return a < b end
    elseif type(less) ~= 'function' then
        error(format("bad argument #2 to 'sort' (function expected, got %s)", type(less)), 2)
    end
    local function swap(i, j)
        local a, b = rawget(list, i), rawget(list, j)
        rawset(list, i, b)
        rawset(list, j, a)
    end
    local function sort(low, high)
        while low < high do
            if less(rawget(list, high), rawget(list, low)) then swap(low, high) end
            if high - low == 1 then return end
            local i = floor((low + high) / 2)
            if less(rawget(list, i), rawget(list, low)) then
                swap(i, low)
            elseif less(rawget(list, high), rawget(list, i)) then
                swap(i, high)
            end
            if high - low == 2 then return end
            local pivot = rawget(list, i)
            swap(i, high - 1)
            i = low
            local j = high - 1
            while true do
                i = i + 1
                while less(rawget(list, i), pivot) do
                    if i >= high then error('invalid order function for sorting', 0) end
                    i = i + 1
                end
                j = j - 1
                while less(pivot, rawget(list, j)) do
                    if j <= low then error('invalid order function for sorting', 0) end
                    j = j - 1
                end
                if j < i then break end
                swap(i, j)
            end
            swap(high - 1, i)
            if i - low < high - i then
                sort(low, i - 1)
                low = i + 1
            else
                sort(i + 1, high)
                high = i - 1
            end
        end
    end
    sort(1, rawlen(list))
end

local function unpacked(list, from, to)
    from, to = from or 1, to or rawlen(list)
    if a_number(to, 'unpack', 3) - a_number(from, 'unpack', 2) >= 8000 then
        error('too many results to unpack', 2)
    end
    return unpack(list, from, to)
end
_G.unpack, table.unpack = unpacked, unpacked

function table.getn(list) return #list end

function table.maxn(list)
    a_table(list, 'maxn')
    local most = 0
    for key in next, list do
        if type(key) == 'number' and key > most then most = key end
    end
    return most
end

function table.foreach(list, see)
    for key, value in _G.pairs(list) do
        local seen = see(key, value)
        if seen ~= nil then return seen end
    end
end

function table.foreachi(list, see)
    for at, value in ipairs(list) do
        local seen = see(at, value)
        if seen ~= nil then return seen end
    end
end

-- Strings. An address, which differs in every run, is replaced by a number.

local numbers, count = {}, 0

local function named(...)
    local value = ...
    local kind = type(value)
    local is_plain = kind ~= 'table' and kind ~= 'function' and kind ~= 'userdata'
    if is_plain or native.has(value, '__tostring') then return tostring(...) end
    local number = numbers[value]
    if not number then
        count = count + 1
        number = count
        numbers[value] = number
    end
    return format('%s: 0x%08x', kind, number)
end
_G.tostring = named

function string.format(text, ...)
    local given, last = {...}, select('#', ...)
    for at = 1, last do
        local kind = type(given[at])
        if kind == 'table' or kind == 'function' or kind == 'userdata' then given[at] = named(given[at]) end
    end
    local made = format(text, unpack(given, 1, last))
    native.goes_through(made)
    return made
end

function string.gmatch(text, pattern)
    text, pattern = native.texts(text, pattern)
    local from = 1
    local function found(after, ...)
        from = after
        return ...
    end
    return function()
        if from then return found(native.match_from(text, pattern, from)) end
    end
end
string.gfind = string.gmatch

-- Numbers.

function _G.tonumber(...)
    local text = ...
    if type(text) == 'string' then native.goes_through(text) end
    return tonumber(...)
end

function math.log10(number) return log(number, 10) end
function math.random() native.unknown('a random number (`math.random`)') end
math.randomseed = math.random

-- The iteration over handles: names and values from two lists.
return function(names, values)
    local at = 0
    return function()
        at = at + 1
        return names[at], values[at]
    end
end
